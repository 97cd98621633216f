package org.vhostuserrng.libc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativeTextTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "rng.sock", "größe", "随机", "\ud83d\ude00"})
    void decodesUtf8(String text) {
        assertEquals(text, NativeText.decode(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Invalid UTF-8: lone bytes, overlong, truncated and surrogate sequences, and code points beyond Unicode. */
    @ParameterizedTest
    @ValueSource(
            strings = {"ff", "80", "c3", "c0af", "e08080", "eda080", "eda080edb080", "f4908080", "f09f98", "c3c3a9"})
    void encodesWhatItDecodedFromInvalidUtf8(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex);

        assertArrayEquals(bytes, NativeText.encode(NativeText.decode(bytes)));
    }

    @Test
    void encodesWhatItDecodedFromRandomBytes() {
        byte[] bytes = new byte[1 << 16];
        new Random(1).nextBytes(bytes);

        assertArrayEquals(bytes, NativeText.encode(NativeText.decode(bytes)));
    }

    @Test
    void printableTextHasNoControlOrDirectionCharacters() {
        String text = "a\nb\rc\u001b[31md\u0085\u009be\u202ef\u2028g\udcffh\u007f\u0000é";

        assertEquals("a?b?c?[31md??e?f?g?h??é", NativeText.printable(text));
    }
}
