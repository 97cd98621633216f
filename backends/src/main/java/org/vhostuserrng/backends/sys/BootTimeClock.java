package org.vhostuserrng.backends.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.Libc;

/** CLOCK_BOOTTIME (clock_gettime(2)), which is like CLOCK_MONOTONIC, but also runs while the system is suspended. */
public final class BootTimeClock {
    private static final MemorySegment CLOCK_GETTIME = Libc.symbol("clock_gettime");
    private static final int CLOCK_BOOTTIME = 7;
    private static final long NANOS_PER_SECOND = 1_000_000_000;

    // struct timespec { time_t tv_sec; long tv_nsec; }
    private final MemorySegment time = Arena.ofAuto().allocate(2L * Long.BYTES, Long.BYTES);

    /** Creates a clock for one thread. */
    public BootTimeClock() {}

    /** Returns the time since boot in nanoseconds. */
    public long nanos() {
        int result = Libc.callInt(CLOCK_GETTIME, CLOCK_BOOTTIME, time.address(), 0, 0, 0);
        assert result == 0;
        return time.get(ValueLayout.JAVA_LONG, 0) * NANOS_PER_SECOND + time.get(ValueLayout.JAVA_LONG, Long.BYTES);
    }
}
