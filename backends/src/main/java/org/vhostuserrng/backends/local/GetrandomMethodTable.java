package org.vhostuserrng.backends.local;

/** The method of calling getrandom(2) for each length. Immutable. */
final class GetrandomMethodTable {
    /**
     * The lengths in bytes that are measured. The method for a measured length is used for all lengths up to twice as
     * long, unless a smaller measured length covers them.
     */
    private static final int[] MEASURED_BYTES = {64, 256, 1024, 4096};

    static final int MAX_MEASURED_BYTES = 4096;

    /** Lengths up to 2^7 bytes have index 0 in the table, up to 2^9 bytes index 1, and so on. */
    private static final int FIRST_LOG2 = 6;

    private static final int LOG2_PER_INDEX = 2;

    private final GetrandomMethod[] methods;

    private GetrandomMethodTable(GetrandomMethod[] methods) {
        this.methods = methods;
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
     * Creates a table with one method for each measured length.
     *
     * @param methods the methods, in the order of the measured lengths
     */
    static GetrandomMethodTable of(GetrandomMethod... methods) {
        return new GetrandomMethodTable(methods.clone());
    }

    /** Creates a table with the same method for every length. */
    static GetrandomMethodTable always(GetrandomMethod method) {
        return of(method, method, method, method);
    }

    /** Returns the method for {@code length} bytes, at least 1. */
    GetrandomMethod methodFor(int length) {
        int log2RoundedUp = Integer.SIZE - Integer.numberOfLeadingZeros(length - 1);
        int index = Math.max(0, log2RoundedUp - FIRST_LOG2) / LOG2_PER_INDEX;
        return methods[Math.min(index, methods.length - 1)];
    }

    /** Returns whether {@code method} is used for any length. */
    boolean uses(GetrandomMethod method) {
        for (GetrandomMethod used : methods) {
            if (used == method) {
                return true;
            }
        }
        return false;
    }

    /** Describes the measured lengths and their methods, for a report. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < methods.length; i++) {
            text.append(i == 0 ? "" : ", ")
                    .append(MEASURED_BYTES[i])
                    .append(" B: ")
                    .append(methods[i]);
        }
        return text.toString();
    }
}
