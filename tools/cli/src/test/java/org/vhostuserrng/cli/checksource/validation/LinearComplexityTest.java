package org.vhostuserrng.cli.checksource.validation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LinearComplexityTest {
    private static byte[] bits(String text) {
        byte[] bits = new byte[text.length()];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (byte) (text.charAt(i) - '0');
        }
        return bits;
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(3).nextBytes(bytes);
        return bytes;
    }

    /** Returns the output of a Galois shift register, which is its least significant bit. */
    private static byte[] shiftRegister(long taps, boolean mostSignificantFirst) {
        long state = 0xace1;
        byte[] bytes = new byte[20_000];
        for (int i = 0; i < bytes.length * Byte.SIZE; i++) {
            int shift = mostSignificantFirst ? Byte.SIZE - 1 - i % Byte.SIZE : i % Byte.SIZE;
            bytes[i / Byte.SIZE] |= (byte) ((state & 1) << shift);
            state = (state >>> 1) ^ (-(state & 1) & taps);
        }
        return bytes;
    }

    /** The complexity of the third sequence is its length, because its last bit cannot be predicted from the others. */
    @ParameterizedTest
    @CsvSource({"0000000, 0", "1111111, 1", "0000001, 7", "0101010, 2", "0010111001, 3", "1101001110, 3"})
    void complexityOfShortSequence(String bits, int complexity) {
        assertEquals(complexity, LinearComplexity.of(bits(bits), 1, true));
    }

    @ParameterizedTest
    @CsvSource({"b400, 16", "a3000000, 32"})
    void shiftRegisterHasItsLength(String taps, int length) {
        long polynomial = Long.parseLong(taps, 16);

        assertEquals(length, LinearComplexity.of(shiftRegister(polynomial, true), Byte.SIZE, true));
        assertFalse(LinearComplexity.test(shiftRegister(polynomial, true), Byte.SIZE)
                .passed());
        assertFalse(LinearComplexity.test(shiftRegister(polynomial, false), Byte.SIZE)
                .passed());
    }

    /** Marsaglia's xorshift32, in little-endian words: all its bits are linear functions of the state. */
    @Test
    void xorshiftGeneratorFails() {
        int state = 1;
        byte[] bytes = new byte[20_000];
        for (int i = 0; i < bytes.length; i++) {
            if (i % Integer.BYTES == 0) {
                state ^= state << 13;
                state ^= state >>> 17;
                state ^= state << 5;
            }
            bytes[i] = (byte) (state >>> (Byte.SIZE * (i % Integer.BYTES)));
        }

        assertFalse(LinearComplexity.test(bytes, Byte.SIZE).passed());
    }

    @Test
    void estimateOfRandomBitsIsNearlyOneAndOfAShiftRegisterNearlyZero() {
        byte[] register = new byte[10_000];
        for (int i = 0; i < 8 * register.length; i++) {
            int bit = i < 31 ? i % 3 & 1 : bit(register, i - 31) ^ bit(register, i - 28);
            register[i / 8] |= (byte) (bit << (7 - i % 8));
        }

        assertTrue(LinearComplexity.minEntropy(random(10_000), Byte.SIZE) > 0.99);
        assertTrue(LinearComplexity.minEntropy(register, Byte.SIZE) < 0.01);
    }

    private static int bit(byte[] bytes, int index) {
        return bytes[index / 8] >> (7 - index % 8) & 1;
    }

    @Test
    void randomBitsHaveHalfTheirNumber() {
        assertEquals(4000, LinearComplexity.of(random(1000), Byte.SIZE, true), 20);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 40})
    void fewRandomBitsAreEnough(int every) {
        byte[] mostlyConstant = new byte[20_000];
        byte[] random = random(mostlyConstant.length);
        for (int i = 0; i < mostlyConstant.length; i += every) {
            mostlyConstant[i] = (byte) (random[i] & 1);
        }

        assertTrue(LinearComplexity.test(mostlyConstant, Byte.SIZE).passed());
    }
}
