package org.vhostuserrng.daemon.config;

import java.io.FilterReader;
import java.io.IOException;
import java.io.StringReader;

/** A reader that knows the line number of the last character that was read. */
final class LineCountingReader extends FilterReader {
    private int newlines;
    private boolean atEndOfLine;

    LineCountingReader(String text) {
        super(new StringReader(text));
    }

    /** Returns the line number, from 1. A newline belongs to the line that it ends. */
    int line() {
        return 1 + newlines - (atEndOfLine ? 1 : 0);
    }

    @Override
    public int read() throws IOException {
        int next = super.read();
        if (next >= 0) {
            count((char) next);
        }
        return next;
    }

    @Override
    public int read(char[] target, int offset, int length) throws IOException {
        int count = super.read(target, offset, length);
        for (int i = 0; i < count; i++) {
            count(target[offset + i]);
        }
        return count;
    }

    private void count(char next) {
        atEndOfLine = next == '\n';
        newlines += atEndOfLine ? 1 : 0;
    }
}
