package org.vhostuserrng.transport.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ControlProtocolTest {
    private static final String CHARACTERS = "ab=\\\t\n\rtnr é\u0000";

    static LongStream seeds() {
        return LongStream.range(0, 200);
    }

    private static String randomWord(Random random, int minLength) {
        StringBuilder word = new StringBuilder();
        int length = minLength + random.nextInt(10);
        for (int i = 0; i < length; i++) {
            word.append(CHARACTERS.charAt(random.nextInt(CHARACTERS.length())));
        }
        return word.toString();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void decodesTheRequestThatWasEncoded(long seed) {
        Random random = new Random(seed);
        List<String> words = new ArrayList<>(List.of(randomWord(random, 1)));
        for (int i = random.nextInt(4); i > 0; i--) {
            words.add(randomWord(random, 0));
        }

        String line = ControlProtocol.encodeRequest(words);

        assertEquals(words, ControlProtocol.decodeRequest(line.substring(0, line.length() - 1)));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void decodesTheRecordThatWasEncoded(long seed) {
        Random random = new Random(seed);
        ControlRecord record =
                new ControlRecord().with("key", randomWord(random, 0)).with("other", 5);

        String line = record.encode();

        assertFalse(line.contains("\n"));
        assertEquals(record.fields(), ControlRecord.decode(line).fields());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "list", "vhost-user-rng/1", "vhost-user-rng/1\t", "vhost-user-rng/2\tlist"})
    void refusesOtherRequests(String line) {
        assertThrows(IllegalArgumentException.class, () -> ControlProtocol.decodeRequest(line));
    }

    @Test
    void decodesAnEscapeAtTheEnd() {
        assertEquals("a\\", ControlFieldEscaping.unescape("a\\"));
    }
}
