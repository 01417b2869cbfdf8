import java.io.*;
import java.lang.management.*;
import java.net.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.concurrent.locks.*;

/** What a virtual machine does with signals: safepoints, implicit checks, dumps, crowds of threads, children, interrupts. */
public class Stress {
    static volatile Object sink;

    public static void main(String[] args) throws Exception {
        int scale = Integer.parseInt(args[0]);
        allocate(scale);
        exceptions(scale);
        overflows();
        crowd(scale);
        interrupts();
        children(scale);
        sockets(scale);
        mapped();
        dumps();
        System.out.println("done");
    }

    /** Threads that allocate while others ask for safepoints. */
    static void allocate(int scale) throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong kept = new AtomicLong();
        List<Thread> ts = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            final int seed = i;
            Thread t = new Thread(() -> {
                Map<Integer, byte[]> live = new HashMap<>();
                Random r = new Random(seed);
                for (int n = 0; n < scale * 3000; n++) {
                    live.put(r.nextInt(300), new byte[r.nextInt(4000)]);
                    if (n % 64 == 0) sink = live.values().toArray();
                }
                kept.addAndGet(live.size());
            });
            t.start();
            ts.add(t);
        }
        Thread gc = new Thread(() -> {
            while (!stop.get()) {
                System.gc();
                for (StackTraceElement[] s : Thread.getAllStackTraces().values()) sink = s;
            }
        });
        gc.start();
        for (Thread t : ts) t.join();
        stop.set(true);
        gc.join();
        System.out.println("allocate " + kept.get());
    }

    static int length(String s) { return s.length(); }

    static int divide(int a, int b) { return a / b; }

    /** Implicit null checks and divisions in compiled code, from threads at once. */
    static void exceptions(int scale) throws Exception {
        AtomicInteger npes = new AtomicInteger(), divisions = new AtomicInteger();
        Thread[] ts = new Thread[4];
        for (int i = 0; i < ts.length; i++) {
            ts[i] = new Thread(() -> {
                String[] strings = {"a", null, "bcd"};
                for (int n = 0; n < scale * 6000; n++) {
                    try { sink = length(strings[n % 3]); } catch (NullPointerException e) { npes.incrementAndGet(); }
                    try { sink = divide(n, n % 5); } catch (ArithmeticException e) { divisions.incrementAndGet(); }
                }
            });
            ts[i].start();
        }
        for (Thread t : ts) t.join();
        System.out.println("exceptions " + npes + " " + divisions);
    }

    static int depth;

    static void deep() { depth++; deep(); }

    static void overflows() throws Exception {
        AtomicInteger caught = new AtomicInteger();
        Thread[] ts = new Thread[4];
        for (int i = 0; i < ts.length; i++) {
            ts[i] = new Thread(null, () -> {
                for (int n = 0; n < 5; n++) try { deep(); } catch (StackOverflowError e) { caught.incrementAndGet(); }
            }, "deep", 512 << 10);
            ts[i].start();
        }
        for (Thread t : ts) t.join();
        try { deep(); } catch (StackOverflowError e) { caught.incrementAndGet(); }
        System.out.println("overflows " + caught);
    }

    /** More threads than processors by far, all waiting at one time. */
    static void crowd(int scale) throws Exception {
        int n = 200 * scale;
        CountDownLatch all = new CountDownLatch(n), go = new CountDownLatch(1);
        AtomicInteger sum = new AtomicInteger();
        Thread[] ts = new Thread[n];
        for (int i = 0; i < n; i++) {
            ts[i] = new Thread(null, () -> {
                all.countDown();
                try { go.await(); } catch (InterruptedException e) { return; }
                sum.incrementAndGet();
            }, "c" + i, 128 << 10);
            ts[i].start();
        }
        all.await();
        System.gc();
        go.countDown();
        for (Thread t : ts) t.join();
        System.out.println("crowd " + sum.get());
    }

    /** Thread.interrupt of sleeps, waits, parks, selects and blocking reads of channels. */
    static void interrupts() throws Exception {
        AtomicInteger woken = new AtomicInteger();
        Pipe pipe = Pipe.open();
        Selector selector = Selector.open();
        Object lock = new Object();
        Callable<?>[] blockers = {
            () -> { Thread.sleep(60_000); return 0; },
            () -> { synchronized (lock) { lock.wait(); } return 0; },
            () -> { LockSupport.park(); if (Thread.interrupted()) throw new InterruptedException(); return 0; },
            () -> { selector.select(); if (Thread.interrupted()) throw new InterruptedException(); return 0; },
            () -> pipe.source().read(ByteBuffer.allocate(1)),
            () -> ServerSocketChannel.open().bind(null).accept(),
        };
        Thread[] ts = new Thread[blockers.length];
        for (int i = 0; i < ts.length; i++) {
            final Callable<?> c = blockers[i];
            ts[i] = new Thread(() -> {
                try { c.call(); } catch (InterruptedException | ClosedByInterruptException e) { woken.incrementAndGet(); } catch (Exception e) { System.out.println(e); }
            });
            ts[i].start();
        }
        Thread.sleep(200);
        for (Thread t : ts) t.interrupt();
        for (Thread t : ts) t.join();
        System.out.println("interrupts " + woken);
    }

    static void children(int scale) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<Integer>> codes = new ArrayList<>();
        for (int i = 0; i < 15 * scale; i++) {
            final int n = i % 20;
            codes.add(pool.submit(() -> {
                Process p = new ProcessBuilder("sh", "-c", "cat >/dev/null; echo $((" + n + " * 2)); exit " + n).start();
                p.getOutputStream().close();
                String line = new String(p.getInputStream().readAllBytes()).trim();
                return p.waitFor() == n && line.equals("" + n * 2) ? 1 : 0;
            }));
        }
        int good = 0;
        for (Future<Integer> c : codes) good += c.get();
        Process sleeper = new ProcessBuilder("sleep", "100").start();
        sleeper.destroyForcibly();
        int status = sleeper.waitFor();
        try { new ProcessBuilder("/nonexistent").start(); } catch (IOException e) { good++; }
        pool.shutdown();
        System.out.println("children " + good + " " + status);
    }

    static void sockets(int scale) throws Exception {
        ExecutorService pool = Executors.newCachedThreadPool();
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            pool.submit(() -> {
                for (;;) {
                    Socket s = server.accept();
                    pool.submit(() -> { try (s) { s.getInputStream().transferTo(s.getOutputStream()); } return 0; });
                }
            });
            AtomicLong bytes = new AtomicLong();
            List<Future<?>> fs = new ArrayList<>();
            for (int i = 0; i < 10 * scale; i++) {
                final int n = i;
                fs.add(pool.submit(() -> {
                    try (Socket s = new Socket(server.getInetAddress(), server.getLocalPort())) {
                        s.getOutputStream().write(new byte[n * 100]);
                        s.shutdownOutput();
                        bytes.addAndGet(s.getInputStream().readAllBytes().length);
                    }
                    return 0;
                }));
            }
            for (Future<?> f : fs) f.get();
            System.out.println("sockets " + bytes);
        }
        pool.shutdownNow();
        pool.awaitTermination(20, TimeUnit.SECONDS);
    }

    /** A mapped file that shrinks under its reader: SIGBUS becomes an InternalError. */
    static void mapped() throws Exception {
        File f = File.createTempFile("map", null);
        try (RandomAccessFile r = new RandomAccessFile(f, "rw")) {
            r.setLength(1 << 20);
            MappedByteBuffer b = r.getChannel().map(FileChannel.MapMode.READ_ONLY, 0, 1 << 20);
            r.setLength(0);
            byte[] copy = new byte[1 << 20];
            try { b.get(copy); System.out.println("read"); } catch (InternalError e) { System.out.println("mapped InternalError"); }
        }
        f.delete();
    }

    /** SIGQUIT's dump of all threads, and jcmd's, by the attach mechanism. */
    static void dumps() throws Exception {
        long pid = ProcessHandle.current().pid();
        new ProcessBuilder("kill", "-QUIT", "" + pid).start().waitFor();
        Thread.sleep(300);
        for (String[] c : new String[][] {{"jcmd", "" + pid, "Thread.print"}, {"jstack", "" + pid}, {"jcmd", "" + pid, "GC.heap_info"}}) {
            Process p = new ProcessBuilder(c).redirectErrorStream(true).start();
            String out = new String(p.getInputStream().readAllBytes());
            System.out.println(c[0] + " " + p.waitFor() + " " + (out.contains("at Stress.dumps") || out.contains("heap") || out.contains("used")));
        }
    }
}
