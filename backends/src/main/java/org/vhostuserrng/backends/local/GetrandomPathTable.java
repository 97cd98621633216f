package org.vhostuserrng.backends.local;

/** The path of getrandom(2) to use for each length. Immutable. */
final class GetrandomPathTable {
    /**
     * The lengths in bytes that are measured. The path for a measured length is used for all lengths up to twice as
     * long, unless a smaller measured length covers them.
     */
    private static final int[] MEASURED_BYTES = {64, 256, 1024, 4096};

    static final int MAX_MEASURED_BYTES = 4096;

    /** Lengths up to 2^7 bytes have index 0 in the table, up to 2^9 bytes index 1, and so on. */
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

    /** Returns a measured length in bytes. The lengths are in ascending order. */
    static int measuredBytes(int index) {
        return MEASURED_BYTES[index];
    }

    /**
     * Creates a table with one path for each measured length.
     *
     * @param paths the paths, in the order of the measured lengths
     */
    static GetrandomPathTable of(GetrandomPath... paths) {
        return new GetrandomPathTable(paths.clone());
    }

    /** Creates a table with the same path for every length. */
    static GetrandomPathTable always(GetrandomPath path) {
        return of(path, path, path, path);
    }

    /** Returns the path for {@code length} bytes, at least 1. */
    GetrandomPath pathFor(int length) {
        int log2RoundedUp = Integer.SIZE - Integer.numberOfLeadingZeros(length - 1);
        int index = Math.max(0, log2RoundedUp - FIRST_LOG2) / LOG2_PER_INDEX;
        return paths[Math.min(index, paths.length - 1)];
    }

    /** Returns whether {@code path} is used for any length. */
    boolean uses(GetrandomPath path) {
        for (GetrandomPath used : paths) {
            if (used == path) {
                return true;
            }
        }
        return false;
    }

    /** Describes the measured lengths and their paths, for a report. */
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
