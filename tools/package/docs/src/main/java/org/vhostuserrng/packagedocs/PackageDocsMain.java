package org.vhostuserrng.packagedocs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.vhostuserrng.cli.CliMain;
import org.vhostuserrng.daemon.DaemonCommandSpecs;
import org.vhostuserrng.daemon.DaemonCommandSpecs.Documented;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** Writes the man pages and completions of all commands: {@code PackageDocsMain DIRECTORY DATE VERSION}. */
public final class PackageDocsMain {
    private PackageDocsMain() {}

    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 3) {
            System.err.println("expected DIRECTORY DATE VERSION");
            System.exit(2);
        }
        Path directory = Files.createDirectories(Path.of(arguments[0]));
        for (Map.Entry<String, String> file :
                files(new ManPage(arguments[1], arguments[2])).entrySet()) {
            Files.writeString(directory.resolve(file.getKey()), file.getValue());
        }
    }

    /** Returns the contents of all files, by file name. */
    static Map<String, String> files(ManPage pages) {
        Map<String, String> files = new TreeMap<>();
        Documented daemon = DaemonCommandSpecs.daemon();
        CommandSpec program = daemon.command();
        for (Documented command : DaemonCommandSpecs.otherCommands()) {
            files.put(page(command.command()), pages.ofDaemonCommand(command.command(), command.help()));
            program.addSubcommand(command.command().name(), command.command());
        }
        for (CommandLine subcommand :
                CommandSpec.forAnnotatedObject(CliMain.class).subcommands().values()) {
            CommandSpec command = subcommand.getCommandSpec();
            files.put(page(command), pages.ofCommand(command));
            program.addSubcommand(command.name(), subcommand);
        }
        List<String> names =
                List.copyOf(program.subcommands().keySet()).stream().sorted().toList();
        files.put(ManPage.PROGRAM + ".1", pages.ofDaemon(program, daemon.help(), names));
        files.put(ManPage.PROGRAM + ".bash", AutoComplete.bash(ManPage.PROGRAM, new CommandLine(program)));
        files.put("_" + ManPage.PROGRAM, ZshCompletion.of(program));
        return files;
    }

    private static String page(CommandSpec command) {
        return ManPage.PROGRAM + "-" + command.name() + ".1";
    }
}
