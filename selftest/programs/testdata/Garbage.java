import java.lang.ref.*;
import java.util.*;
import java.util.concurrent.*;

/** Threads that allocate far more than the heap holds while they keep some of it: constant collection, many safepoints. */
public class Garbage {
    static final class Node { Node left, right; byte[] load; int v; Node(int v) { this.v = v; load = new byte[v % 200]; } }

    static Node build(int depth, int v) {
        Node n = new Node(v);
        if (depth > 0) { n.left = build(depth - 1, 2 * v); n.right = build(depth - 1, 2 * v + 1); }
        return n;
    }
    static long sum(Node n) { return n == null ? 0 : n.v % 1000 + n.load.length + sum(n.left) + sum(n.right); }

    public static void main(String[] args) throws Exception {
        int rounds = Integer.parseInt(args[0]);
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Long>> parts = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            final int seed = t + 1;
            parts.add(pool.submit(() -> {
                Deque<Node> live = new ArrayDeque<>();
                long s = 0;
                for (int i = 0; i < rounds; i++) {
                    live.add(build(9, seed));
                    if (live.size() > 8) s += sum(live.poll());
                    if (i % 50 == 0) { byte[] big = new byte[1 << 20]; big[i % big.length] = 1; s += big[i % big.length]; }
                }
                return s;
            }));
        }
        long total = 0;
        for (Future<Long> p : parts) total += p.get();
        pool.shutdown();
        Object o = new Object();
        WeakReference<Object> weak = new WeakReference<>(o);
        o = null;
        for (int i = 0; i < 50 && weak.get() != null; i++) { System.gc(); Thread.sleep(10); }
        System.out.println(total + " " + (weak.get() == null));
    }
}
