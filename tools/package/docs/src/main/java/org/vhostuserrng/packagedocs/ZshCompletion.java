package org.vhostuserrng.packagedocs;

import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Writes the completion function of zsh for a command and its subcommands. */
final class ZshCompletion {
    private ZshCompletion() {}

    static String of(CommandSpec program) {
        StringBuilder out =
                new StringBuilder("#compdef ").append(program.name()).append('\n');
        List<CommandSpec> commands = program.subcommands().values().stream()
                .map(CommandLine::getCommandSpec)
                .toList();
        out.append("local -a commands=(");
        commands.forEach(command -> out.append(' ').append(command.name()));
        out.append(" )\nif (( CURRENT > 2 )); then\n  case $words[2] in\n");
        for (CommandSpec command : commands) {
            out.append("    ").append(command.name()).append(")\n");
            out.append("      shift words; (( CURRENT-- ))\n");
            arguments(out, "      ", command, "'*:file:_files'");
            out.append("      return ;;\n");
        }
        out.append("  esac\nfi\n");
        arguments(out, "", program, "'1::command:($commands)'");
        return out.toString().replace("'1::command:($commands)'", "\"1::command:($commands)\"");
    }

    private static void arguments(StringBuilder out, String indent, CommandSpec command, String positional) {
        out.append(indent).append("_arguments -S");
        for (OptionSpec option : command.options()) {
            for (String name : option.names()) {
                out.append(" \\\n").append(indent).append("  ").append(argument(option, name));
            }
        }
        out.append(" \\\n").append(indent).append("  ").append(positional).append('\n');
    }

    /** Returns one specification, such as {@code '*--source=[Entropy source.]:SOURCE: '}. */
    private static String argument(OptionSpec option, String name) {
        String description = ManPage.plain(option.description()).split("[.;](?: |$)", 2)[0];
        StringBuilder argument = new StringBuilder("*").append(name);
        boolean valued = option.arity().max() > 0;
        argument.append(valued ? "=[" : "[").append(escape(description)).append(']');
        if (valued) {
            argument.append(':').append(escape(option.paramLabel())).append(':').append(action(option));
        }
        return "'" + argument.toString().replace("'", "'\\''") + "'";
    }

    private static String action(OptionSpec option) {
        String label = option.paramLabel().toUpperCase(Locale.ROOT);
        return label.equals("PATH") || label.equals("FILE") ? "_files" : " ";
    }

    private static String escape(String text) {
        return text.replace("\\", "\\\\")
                .replace("[", "\\[")
                .replace("]", "\\]")
                .replace(":", "\\:");
    }
}
