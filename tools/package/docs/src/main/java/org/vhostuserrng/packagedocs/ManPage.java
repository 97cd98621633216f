package org.vhostuserrng.packagedocs;

import java.util.List;
import java.util.stream.Collectors;
import org.vhostuserrng.packagedocs.HelpText.Paragraph;
import org.vhostuserrng.packagedocs.HelpText.Section;
import org.vhostuserrng.packagedocs.HelpText.Term;
import org.vhostuserrng.packagedocs.HelpText.Verbatim;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * Writes the man page of a command.
 *
 * @param date the date in the footer, such as 2026-11-30
 * @param version the program's version
 */
record ManPage(String date, String version) {
    static final String PROGRAM = "vhost-user-rng";

    /** Returns the page of the daemon, whose {@code --help} text contains more than options. */
    String ofDaemon(CommandSpec daemon, String help, List<String> commands) {
        RoffText page = begin(PROGRAM, "entropy device for virtual machines (vhost-user back-end)");
        HelpText parts = HelpText.parse(help);
        usageAndOptions(page, daemon, parts);
        parts.sections().stream()
                .filter(section -> !section.title().startsWith("Commands"))
                .forEach(section -> section(page, section));
        page.section("commands");
        commands.forEach(name -> page.term(name, "See " + PROGRAM + "-" + name + "(1)."));
        exitStatus(page);
        page.section("files");
        page.term("/etc/vhost-user-rng/vhost-user-rng.conf", "Configuration of vhost-user-rng.service.");
        page.term("/etc/vhost-user-rng/NAME.env", "OPTIONS= of vhost-user-rng@NAME.service.");
        page.term("/run/vhost-user-rng/NAME.sock", "Socket of vhost-user-rng@NAME.socket.");
        seeAlso(page, commands.stream().map(name -> PROGRAM + "-" + name).toList());
        return page.toString();
    }

    /** Returns the page of another command of the daemon's main program. */
    String ofDaemonCommand(CommandSpec command, String help) {
        HelpText parts = HelpText.parse(help);
        RoffText page = begin(PROGRAM + "-" + command.name(), summary(parts.introduction()));
        usageAndOptions(page, command, parts);
        parts.sections().forEach(section -> section(page, section));
        seeAlso(page, List.of(PROGRAM));
        return page.toString();
    }

    /** Returns the page of a picocli command. */
    String ofCommand(CommandSpec command) {
        String description = plain(command.usageMessage().description());
        RoffText page = begin(PROGRAM + "-" + command.name(), summary(description));
        page.section("synopsis");
        page.macro("B", PROGRAM + " " + command.name());
        page.text(synopsis(command));
        page.section("description");
        page.text(description);
        options(page, command);
        for (PositionalParamSpec parameter : command.positionalParameters()) {
            page.term(parameter.paramLabel(), plain(parameter.description()));
        }
        String footer = plain(command.usageMessage().footer());
        if (!footer.isBlank()) {
            page.section("notes");
            page.text(footer);
        }
        exitStatus(page);
        seeAlso(page, List.of(PROGRAM));
        return page.toString();
    }

    private RoffText begin(String name, String summary) {
        RoffText page = new RoffText();
        page.heading(name, date, PROGRAM + " " + version);
        page.section("name");
        page.text(name + " - " + summary);
        return page;
    }

    private static void usageAndOptions(RoffText page, CommandSpec command, HelpText parts) {
        page.section("synopsis");
        page.macro("nf");
        parts.usage().forEach(page::text);
        page.macro("fi");
        page.section("description");
        page.text(parts.introduction());
        options(page, command);
    }

    private static void options(RoffText page, CommandSpec command) {
        page.section("options");
        for (OptionSpec option : command.options()) {
            String value = option.arity().max() > 0 ? "=" + option.paramLabel() : "";
            String names = String.join(", ", option.names()) + value;
            page.term(names, plain(option.description()));
        }
    }

    private static void section(RoffText page, Section section) {
        page.section(section.title().split(",", 2)[0]);
        boolean verbatim = false;
        for (HelpText.Element element : section.elements()) {
            if (verbatim != element instanceof Verbatim) {
                verbatim = !verbatim;
                page.macro(verbatim ? "nf" : "fi");
            }
            switch (element) {
                case Term term -> page.term(term.name(), term.text());
                case Paragraph paragraph -> {
                    page.macro("PP");
                    page.text(paragraph.text());
                }
                case Verbatim line -> page.text(line.line());
            }
        }
        if (verbatim) {
            page.macro("fi");
        }
    }

    private static void exitStatus(RoffText page) {
        page.section("exit status");
        page.term("0", "Success.");
        page.term("1", "Failure; one line on standard error says why.");
        page.term("2", "Invalid command line or configuration.");
    }

    private static void seeAlso(RoffText page, List<String> names) {
        page.section("see also");
        page.text(names.stream().map(name -> name + "(1)").collect(Collectors.joining(", ")));
    }

    private static String synopsis(CommandSpec command) {
        return command.positionalParameters().stream()
                .map(PositionalParamSpec::paramLabel)
                .collect(Collectors.joining(" ", "[OPTION...] ", ""))
                .strip();
    }

    /** Returns the first sentence in the form of the NAME section: in lower case, without a full stop. */
    private static String summary(String description) {
        String sentence = description.split("[.:;](?: |$)", 2)[0];
        return Character.toLowerCase(sentence.charAt(0)) + sentence.substring(1);
    }

    /** Returns a description of picocli without its line breaks and colours. */
    static String plain(String... description) {
        String joined = String.join(" ", description).replace("%n", " ").replace("%%", "%");
        return CommandLine.Help.defaultColorScheme(Ansi.OFF)
                .text(joined)
                .plainString()
                .replaceAll("\\s+", " ")
                .strip();
    }
}
