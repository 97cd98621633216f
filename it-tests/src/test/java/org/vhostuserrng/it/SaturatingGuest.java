package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vhostuserrng.frontend.EntropyDriver;

/** A guest that asks again as soon as it was served, and notes what it got and when by its own clock. */
final class SaturatingGuest implements AutoCloseable {
    /** Bytes that became visible after {@code notBefore} and not after {@code notAfter}, nanoseconds. */
    record Grant(long notBefore, long notAfter, int bytes) {}

    private final EntropyDriver driver;
    private final int request;
    private final List<Grant> grants = new ArrayList<>();
    private long bytes;
    private long lastLook;

    private SaturatingGuest(EntropyDriver driver, int request) {
        this.driver = driver;
        this.request = request;
    }

    /**
     * Connects and makes its first requests.
     *
     * @param depth requests in flight
     * @param request bytes of each
     */
    static SaturatingGuest start(Path socket, int depth, int request) throws IOException {
        SaturatingGuest guest = new SaturatingGuest(EntropyDriver.start(socket), request);
        guest.lastLook = System.nanoTime();
        for (int i = 0; i < depth; i++) {
            guest.offer();
        }
        return guest;
    }

    private void offer() throws IOException {
        driver.makeAvailableAndKick(driver.ring().addWritableBuffer(BUFFER_ADDRESS, request));
    }

    /** Looks at the ring without pause, in turns with other guests. */
    static void run(Duration time, SaturatingGuest... guests) throws IOException {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() - end < 0) {
            for (SaturatingGuest guest : guests) {
                guest.look();
            }
        }
    }

    /**
     * Runs the guests until all of them are served, counts anew, and runs them on.
     *
     * @return the time, in seconds, in which everything that was counted became visible
     */
    static double measure(Duration settling, Duration time, SaturatingGuest... guests) throws IOException {
        run(settling, guests);
        long began = System.nanoTime();
        for (SaturatingGuest guest : guests) {
            began = Math.min(began, guest.lastLook);
            guest.forget();
        }
        run(time, guests);
        return (System.nanoTime() - began) / 1e9;
    }

    private void look() throws IOException {
        long look = System.nanoTime();
        while (driver.ring().popUsed()) {
            grants.add(new Grant(lastLook, System.nanoTime(), driver.ring().usedLength()));
            bytes += driver.ring().usedLength();
            offer();
        }
        lastLook = look;
    }

    long bytes() {
        return bytes;
    }

    private void forget() {
        grants.clear();
        bytes = 0;
    }

    EntropyDriver driver() {
        return driver;
    }

    /** The most that certainly came within a time shorter than {@code window}: bytes that may have come outside are not in. */
    long largestWindow(Duration window) {
        long largest = 0;
        long inWindow = 0;
        int first = 0;
        for (Grant last : grants) {
            inWindow += last.bytes();
            while (last.notAfter() - grants.get(first).notBefore() >= window.toNanos()) {
                inWindow -= grants.get(first++).bytes();
            }
            largest = Math.max(largest, inWindow);
        }
        return largest;
    }

    /** The most of one of the windows that each begin with the first bytes after the last one. */
    long largestOfConsecutiveWindows(Duration window) {
        long largest = 0;
        long inWindow = 0;
        long end = grants.getFirst().notAfter();
        for (Grant grant : grants) {
            if (grant.notAfter() >= end) {
                inWindow = 0;
                end = grant.notBefore() + window.toNanos();
            }
            inWindow += grant.bytes();
            largest = Math.max(largest, inWindow);
        }
        return largest;
    }

    static long bytesOfAll(SaturatingGuest... guests) {
        return Arrays.stream(guests).mapToLong(SaturatingGuest::bytes).sum();
    }

    @Override
    public void close() throws IOException {
        driver.close();
    }
}
