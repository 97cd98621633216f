package org.vhostuserrng.libc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class LogStreamTest {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private int room = Integer.MAX_VALUE;
    private final LogStream log = new LogStream((bytes, offset, length) -> {
        int most = Math.min(length, room);
        written.write(bytes, offset, most);
        room -= most;
        return most;
    });

    private String written() {
        return written.toString(StandardCharsets.UTF_8);
    }

    @Test
    void writesLines() {
        log.println("one");
        log.println("größe");

        assertEquals("one\ngröße\n", written());
    }

    @Test
    void writesNoControlCharacters() {
        log.println("a\nINFO forged\u001b[2J\tb");

        assertEquals("a?INFO forged?[2J?b\n", written());
    }

    @Test
    void writesAnExceptionInSeveralLines() {
        log.println((Object) "\tat Main.main");

        assertEquals("    at Main.main\n", written());
    }

    @Test
    void dropsLinesWithoutRoomAndSaysHowMany() {
        room = 0;
        log.println("lost");
        log.println("lost");
        room = Integer.MAX_VALUE;

        log.println("kept");

        assertEquals("2 log lines were dropped: standard error had no room for them\nkept\n", written());
    }

    @Test
    void prefixesEachLine() {
        LogStream prefixed = new LogStream(
                (bytes, offset, length) -> {
                    written.write(bytes, offset, length);
                    return length;
                },
                line -> "<6>" + line);

        prefixed.println("one");
        prefixed.println("two");

        assertEquals("<6>one\n<6>two\n", written());
    }

    @Test
    void endsALineThatWasCut() {
        room = 2;
        log.println("cut");
        room = Integer.MAX_VALUE;

        log.println("kept");

        assertEquals("cu\n1 log lines were dropped: standard error had no room for them\nkept\n", written());
    }
}
