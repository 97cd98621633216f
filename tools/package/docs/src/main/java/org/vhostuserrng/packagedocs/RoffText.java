package org.vhostuserrng.packagedocs;

import java.util.Locale;

/** A man page being written: macros of man(7), and text in which nothing is a request by accident. */
final class RoffText {
    private final StringBuilder out = new StringBuilder();

    void heading(String page, String date, String version) {
        macro("TH", page.toUpperCase(Locale.ROOT), "1", date, version, "User Commands");
    }

    void section(String title) {
        macro("SH", title.toUpperCase(Locale.ROOT));
    }

    /** A macro with its arguments. */
    void macro(String name, String... arguments) {
        out.append('.').append(name);
        for (String argument : arguments) {
            out.append(" \"").append(escape(argument).replace("\"", "\\(dq")).append('"');
        }
        out.append('\n');
    }

    /** One line of text. */
    void text(String line) {
        String escaped = escape(line);
        boolean isRequest = escaped.startsWith(".") || escaped.startsWith("'");
        out.append(isRequest ? "\\&" : "").append(escaped).append('\n');
    }

    /** An entry of a list. */
    void term(String name, String text) {
        macro("TP");
        macro("B", name);
        text(text);
    }

    /** A minus sign is what a shell understands; a plain hyphen may become another character. */
    static String escape(String text) {
        return text.replace("\\", "\\e").replace("-", "\\-");
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
