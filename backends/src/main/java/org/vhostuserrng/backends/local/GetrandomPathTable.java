package org.vhostuserrng.backends.local;

/** The path of getrandom(2) to take for each length. Immutable. */
final class GetrandomPathTable {
    /** The measured lengths. Each stands for the lengths up to twice its size that no smaller one stands for. */
    private static final int[] MEASURED_BYTES = {64, 256, 1024, 4096};

    static final int MAX_MEASURED_BYTES = 4096;

    /** Lengths up to 2^7 bytes have index 0, up to 2^9 index 1, and so on. */
    private static final int FIRST_LOG2 = 6;

    private static final int LOG2_PER_INDEX = 2;

    private final GetrandomPath[] paths;

    private GetrandomPathTable(GetrandomPath[] paths) {
        this.paths = paths;
    }

    /** The number of measured lengths. */
    static int size() {
        return MEASURED_BYTES.length;
    }

    /** A measured length, in ascending order. */
    static int measuredBytes(int index) {
        return MEASURED_BYTES[index];
    }

    /**
     * A table with one path for each measured length.
     *
     * @param paths copied
     */
    static GetrandomPathTable of(GetrandomPath... paths) {
        return new GetrandomPathTable(paths.clone());
    }

    /** A table with the same path for every length. */
    static GetrandomPathTable always(GetrandomPath path) {
        return of(path, path, path, path);
    }

    /** The path for {@code length} bytes, at least 1. */
    GetrandomPath pathFor(int length) {
        int log2RoundedUp = Integer.SIZE - Integer.numberOfLeadingZeros(length - 1);
        int index = Math.max(0, log2RoundedUp - FIRST_LOG2) / LOG2_PER_INDEX;
        return paths[Math.min(index, paths.length - 1)];
    }

    /** Whether any length takes {@code path}. */
    boolean uses(GetrandomPath path) {
        for (GetrandomPath used : paths) {
            if (used == path) {
                return true;
            }
        }
        return false;
    }

    /** For a report: the measured lengths and their paths. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < paths.length; i++) {
            text.append(i == 0 ? "" : ", ")
                    .append(MEASURED_BYTES[i])
                    .append(" B: ")
                    .append(paths[i]);
        }
        return text.toString();
    }
}
