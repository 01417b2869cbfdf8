import java.io.*;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.stream.*;

/** Executors, monitors, interrupts, timers, child processes, channels and files, from many threads at once. */
public class Threads {
    static int guarded;

    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(16);
        List<Future<Long>> sums = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            final long n = i;
            sums.add(pool.submit(() -> LongStream.rangeClosed(0, n).map(x -> x * x).sum()));
        }
        long total = 0;
        for (Future<Long> f : sums) total += f.get();
        System.out.println("pool " + total);

        Object lock = new Object();
        Thread[] ts = new Thread[64];
        for (int i = 0; i < ts.length; i++) {
            ts[i] = new Thread(() -> {
                for (int k = 0; k < 500; k++) synchronized (lock) { guarded++; if (k % 100 == 0) lock.notifyAll(); }
            });
            ts[i].start();
        }
        for (Thread t : ts) t.join();
        System.out.println("monitor " + guarded);

        Thread sleeper = new Thread(() -> {
            try { Thread.sleep(60_000); System.out.println("not interrupted"); }
            catch (InterruptedException e) { System.out.println("interrupted"); }
        });
        sleeper.start();
        Thread.sleep(20);
        sleeper.interrupt();
        sleeper.join();

        ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
        CountDownLatch ticks = new CountDownLatch(10);
        timer.scheduleAtFixedRate(ticks::countDown, 0, 5, TimeUnit.MILLISECONDS);
        System.out.println("ticks " + ticks.await(20, TimeUnit.SECONDS));
        timer.shutdownNow();

        List<Future<Integer>> codes = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            final int n = i;
            codes.add(pool.submit(() -> {
                Process p = new ProcessBuilder("sh", "-c", "read x; echo $x; exit " + n).redirectErrorStream(true).start();
                try (Writer w = p.outputWriter()) { w.write("line " + n + "\n"); }
                String line = p.inputReader().readLine();
                return line.equals("line " + n) ? p.waitFor() : -1;
            }));
        }
        int sum = 0;
        for (Future<Integer> c : codes) sum += c.get();
        System.out.println("children " + sum);

        Path dir = Files.createTempDirectory("java");
        List<Future<Long>> sizes = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            Path p = dir.resolve("f" + i);
            final int n = i;
            sizes.add(pool.submit(() -> {
                Files.writeString(p, "x".repeat(n * 10));
                try (FileChannel ch = FileChannel.open(p, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                    if (n > 0) ch.map(FileChannel.MapMode.READ_WRITE, 0, n * 10).put(0, (byte) 'y');
                    return ch.size();
                }
            }));
        }
        long bytes = 0;
        for (Future<Long> s : sizes) bytes += s.get();
        try (Stream<Path> files = Files.walk(dir)) { System.out.println("files " + bytes + " " + files.count()); }

        try (ServerSocketChannel server = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", 0))) {
            Future<Integer> served = pool.submit(() -> {
                int n = 0;
                for (int i = 0; i < 20; i++) try (SocketChannel c = server.accept()) {
                    ByteBuffer b = ByteBuffer.allocate(64);
                    c.read(b); b.flip(); n += b.remaining(); c.write(b);
                }
                return n;
            });
            for (int i = 0; i < 20; i++) try (Socket s = new Socket("127.0.0.1", ((InetSocketAddress) server.getLocalAddress()).getPort())) {
                s.getOutputStream().write("hello".getBytes());
                s.getInputStream().readNBytes(5);
            }
            System.out.println("sockets " + served.get());
        }

        // Implicit null checks and stack overflows are signals that the VM turns into exceptions.
        int caught = 0;
        for (int i = 0; i < 20000; i++) try { if (lengthOf(i % 2 == 0 ? "ab" : null) == 2) caught += 0; } catch (NullPointerException e) { caught++; }
        System.out.println("null " + caught);
        try { deep(0); } catch (StackOverflowError e) { System.out.println("overflow"); }
        try { System.out.println(1 / (args.length)); } catch (ArithmeticException e) { System.out.println("division"); }

        ForkJoinPool fj = new ForkJoinPool(4);
        System.out.println("stream " + fj.submit(() -> IntStream.range(0, 200_000).parallel().filter(x -> x % 3 == 0).asLongStream().sum()).get());
        fj.shutdown();
        pool.shutdown();
        System.out.println("ended " + pool.awaitTermination(20, TimeUnit.SECONDS));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
        System.exit(3);
    }

    static int lengthOf(String s) { return s.length(); }
    static int deep(int n) { return deep(n + 1) + 1; }
}
