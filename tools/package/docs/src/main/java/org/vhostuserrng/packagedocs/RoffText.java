package org.vhostuserrng.packagedocs;

import java.util.Locale;

/** Builds the source of a man page: macros of man(7), and text that is escaped so that it contains no macros. */
final class RoffText {
    private final StringBuilder out = new StringBuilder();

    void heading(String page, String date, String version) {
        macro("TH", page.toUpperCase(Locale.ROOT), "1", date, version, "User Commands");
    }

    void section(String title) {
        macro("SH", title.toUpperCase(Locale.ROOT));
    }

    /** Appends a macro with its arguments. */
    void macro(String name, String... arguments) {
        out.append('.').append(name);
        for (String argument : arguments) {
            out.append(" \"").append(escape(argument).replace("\"", "\\(dq")).append('"');
        }
        out.append('\n');
    }

    /** Appends one line of text. */
    void text(String line) {
        String escaped = escape(line);
        boolean isRequest = escaped.startsWith(".") || escaped.startsWith("'");
        out.append(isRequest ? "\\&" : "").append(escaped).append('\n');
    }

    /** Appends an entry of a list. */
    void term(String name, String text) {
        macro("TP");
        macro("B", name);
        text(text);
    }

    /**
     * Escapes text. A hyphen becomes a minus sign, because roff may print a plain hyphen as a character no shell
     * accepts.
     */
    static String escape(String text) {
        return text.replace("\\", "\\e").replace("-", "\\-");
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
