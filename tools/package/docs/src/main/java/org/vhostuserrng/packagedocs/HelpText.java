package org.vhostuserrng.packagedocs;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The parts of a {@code --help} text of the daemon: usage lines, an introduction, the table of options, and sections
 * such as "Sources:".
 *
 * @param usage the command lines after "Usage:"
 * @param introduction the text between usage and options, as one line
 * @param sections the sections after the options
 */
record HelpText(List<String> usage, String introduction, List<Section> sections) {
    private static final String USAGE = "Usage: ";
    private static final String OPTIONS = "Options:";
    private static final Pattern TITLE = Pattern.compile("(\\S[^:]*)(: +\\S.*|:)");
    private static final Pattern TERM_AND_TEXT = Pattern.compile(" {2}(\\S.*?) {2,}(\\S.*)");
    private static final Pattern CONTINUATION = Pattern.compile(" {12,}(\\S.*)");

    /** A section with its elements in their order. */
    record Section(String title, List<Element> elements) {}

    /** A part of a section. */
    sealed interface Element {}

    /** An entry of a list: a term and its description. */
    record Term(String name, String text) implements Element {}

    /** Text that the man page may break into lines. */
    record Paragraph(String text) implements Element {}

    /** A line that the man page must not change, such as a command. */
    record Verbatim(String line) implements Element {}

    static HelpText parse(String help) {
        List<String> lines = help.lines().toList();
        int options = lines.indexOf(OPTIONS);
        if (options < 0) {
            throw new IllegalArgumentException("no line \"" + OPTIONS + "\" in: " + help);
        }
        List<String> usage = new ArrayList<>();
        List<String> introduction = new ArrayList<>();
        for (String line : lines.subList(0, options)) {
            if (line.startsWith(USAGE) || (introduction.isEmpty() && line.startsWith(" "))) {
                usage.add(line.replaceFirst("^" + USAGE, "").strip());
            } else if (!line.isBlank()) {
                introduction.add(line.strip());
            }
        }
        int end = options;
        while (end < lines.size() && !lines.get(end).isBlank()) {
            end++;
        }
        return new HelpText(usage, String.join(" ", introduction), sections(lines.subList(end, lines.size())));
    }

    private static List<Section> sections(List<String> lines) {
        List<Section> sections = new ArrayList<>();
        String previous = "";
        for (String line : lines) {
            Matcher title = TITLE.matcher(line);
            if (previous.isBlank() && title.matches()) {
                Section section = new Section(title.group(1), new ArrayList<>());
                sections.add(section);
                String rest = title.group(2).substring(1).strip();
                if (!rest.isEmpty()) {
                    section.elements().add(new Paragraph(rest));
                }
            } else if (!line.isBlank() && !sections.isEmpty()) {
                add(line, sections.getLast().elements());
            }
            previous = line;
        }
        return sections;
    }

    private static void add(String line, List<Element> elements) {
        Matcher continuation = CONTINUATION.matcher(line);
        Matcher term = TERM_AND_TEXT.matcher(line);
        Element last = elements.isEmpty() ? null : elements.getLast();
        if (continuation.matches() && last instanceof Term begun) {
            elements.set(elements.size() - 1, new Term(begun.name(), begun.text() + " " + continuation.group(1)));
        } else if (continuation.matches() && last instanceof Verbatim name) {
            elements.set(elements.size() - 1, new Term(name.line().strip(), continuation.group(1)));
        } else if (term.matches()) {
            elements.add(new Term(term.group(1), term.group(2)));
        } else if (line.startsWith(" ")) {
            elements.add(new Verbatim(line));
        } else if (last instanceof Paragraph begun) {
            elements.set(elements.size() - 1, new Paragraph(begun.text() + " " + line));
        } else {
            elements.add(new Paragraph(line));
        }
    }
}
