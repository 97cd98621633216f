package org.vhostuserrng.cli.egd;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.backends.source.EntropySource;

/**
 * A source that returns 1, 2, … 255, 1, 2, … until a limited number of bytes is used up. It never returns 0, so that
 * tests can recognize wiped bytes.
 */
final class EgdSequenceSource implements EntropySource {
    private int allowed;
    private int given;

    EgdSequenceSource(int allowed) {
        this.allowed = allowed;
    }

    void allow(int more) {
        allowed += more;
    }

    int given() {
        return given;
    }

    static byte byteAt(int index) {
        return (byte) (index % 255 + 1);
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        int now = Math.min(length, allowed - given);
        for (int i = 0; i < now; i++) {
            target.set(ValueLayout.JAVA_BYTE, offset + i, byteAt(given++));
        }
        return now;
    }

    @Override
    public void close() {
        allowed = given;
    }
}
