package org.vhostuserrng.cli.checksource.estimator;

/**
 * A fast Fourier transform of one size, radix 2, in place (Cooley, Tukey: An Algorithm for the Machine Calculation of
 * Complex Fourier Series, 1965). Immutable.
 */
final class FourierTransform {
    private final double[] cosines;
    private final double[] sines;

    /**
     * Creates a transform and computes its tables.
     *
     * @param size number of complex numbers, a power of 2
     */
    FourierTransform(int size) {
        cosines = new double[size / 2];
        sines = new double[size / 2];
        for (int i = 0; i < size / 2; i++) {
            cosines[i] = Math.cos(2 * Math.PI * i / size);
            sines[i] = -Math.sin(2 * Math.PI * i / size);
        }
    }

    /**
     * Transforms complex numbers in place, without normalization.
     *
     * @param real real parts
     * @param imaginary imaginary parts
     */
    void apply(double[] real, double[] imaginary) {
        permute(real, imaginary);
        int size = real.length;
        for (int half = 1; half < size; half *= 2) {
            int step = size / (2 * half);
            for (int start = 0; start < size; start += 2 * half) {
                for (int i = 0; i < half; i++) {
                    double cosine = cosines[i * step];
                    double sine = sines[i * step];
                    int even = start + i;
                    int odd = even + half;
                    double rotatedReal = real[odd] * cosine - imaginary[odd] * sine;
                    double rotatedImaginary = real[odd] * sine + imaginary[odd] * cosine;
                    real[odd] = real[even] - rotatedReal;
                    imaginary[odd] = imaginary[even] - rotatedImaginary;
                    real[even] += rotatedReal;
                    imaginary[even] += rotatedImaginary;
                }
            }
        }
    }

    /** Moves each number to the index whose bits are in the reverse order. */
    private static void permute(double[] real, double[] imaginary) {
        int bits = Integer.numberOfTrailingZeros(real.length);
        for (int i = 0; i < real.length; i++) {
            int other = bits == 0 ? i : Integer.reverse(i) >>> (Integer.SIZE - bits);
            if (i < other) {
                swap(real, i, other);
                swap(imaginary, i, other);
            }
        }
    }

    private static void swap(double[] values, int one, int other) {
        double value = values[one];
        values[one] = values[other];
        values[other] = value;
    }
}
