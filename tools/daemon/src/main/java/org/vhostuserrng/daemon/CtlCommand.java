package org.vhostuserrng.daemon;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.transport.control.ControlFieldEscaping;
import org.vhostuserrng.transport.control.ControlProtocol;
import org.vhostuserrng.transport.control.ControlRecord;

/** {@code ctl}: sends one command to the control socket of a running daemon, and prints the response. */
final class CtlCommand {
    static final String PROGRAM = DaemonCommand.PROGRAM + " " + CtlOptions.COMMAND;

    private static final String END_OF_OPTIONS = "--";
    private static final String ADD = "add";

    private CtlCommand() {}

    private static boolean isOption(String word) {
        return word.startsWith("-");
    }

    /** Runs the command line to completion and returns the exit status. Errors go to stderr, one line each. */
    static int execute(String... words) {
        try {
            List<String> all = List.of(words);
            int end = all.contains(END_OF_OPTIONS) ? all.indexOf(END_OF_OPTIONS) : all.size();
            List<String> request = new ArrayList<>(
                    all.subList(0, end).stream().filter(word -> !isOption(word)).toList());
            request.addAll(all.subList(Math.min(end + 1, all.size()), all.size()));
            DaemonArguments options = DaemonArguments.parse(
                    PROGRAM,
                    CtlOptions.all(),
                    all.subList(0, end).stream().filter(CtlCommand::isOption).toArray(String[]::new));
            if (options.has(CtlOptions.HELP)) {
                DaemonCommand.printResult(DaemonHelp.ofCtl());
                return DaemonCommand.OK;
            }
            if (options.has(CtlOptions.VERSION)) {
                DaemonCommand.printResult(DaemonCommand.PROGRAM + " " + BuildVersion.read() + "\n");
                return DaemonCommand.OK;
            }
            if (request.isEmpty()) {
                throw new BadUsageException("expected a command; one of " + CtlOptions.commandNames());
            }
            OptionValue path = options.value(CtlOptions.CONTROL_SOCKET);
            boolean names = options.has(CtlOptions.NAMES);
            if (names && !request.equals(List.of(CtlOptions.LIST))) {
                throw new BadUsageException(CtlOptions.NAMES + ": expected only with the command " + CtlOptions.LIST);
            }
            makePathAbsolute(request);
            List<ControlRecord> records = request(path == null ? CtlOptions.DEFAULT_SOCKET : path.text(), request);
            DaemonCommand.printResult(names ? names(records) : text(records, options.has(CtlOptions.JSON)));
            return request.getFirst().equals(CtlOptions.HEALTH) ? healthStatus(records) : DaemonCommand.OK;
        } catch (BadUsageException bad) {
            return DaemonCommand.printError(PROGRAM, bad.getMessage(), DaemonCommand.BAD_USAGE);
        } catch (IOException failure) {
            return DaemonCommand.printError(PROGRAM, failure.getMessage(), DaemonCommand.FAILED);
        }
    }

    /** Makes the path of {@code add} absolute: the daemon may have another working directory. */
    static void makePathAbsolute(List<String> request) throws BadUsageException {
        if (request.size() > 1
                && request.getFirst().equals(ADD)
                && !request.get(1).isEmpty()) {
            String socket = request.get(1);
            String kind =
                    socket.startsWith(SocketOptionParser.ADDED_VFIO_USER) ? SocketOptionParser.ADDED_VFIO_USER : "";
            OptionValue path = new OptionValue("path", socket.substring(kind.length()));
            request.set(
                    1,
                    kind
                            + NativePath.text(
                                    SocketOptionParser.path(path, path.text()).toAbsolutePath()));
        }
    }

    private static String text(List<ControlRecord> records, boolean json) {
        return json ? ControlRecordText.json(records) : ControlRecordText.table(records);
    }

    private static String names(List<ControlRecord> guests) {
        return guests.stream()
                .map(guest -> NativeText.printable(guest.fields().get(ControlCommands.GUEST)) + "\n")
                .collect(Collectors.joining());
    }

    private static int healthStatus(List<ControlRecord> records) {
        boolean ok = records.stream()
                .allMatch(record ->
                        DaemonHealth.Status.OK.text().equals(record.fields().get(DaemonHealth.STATUS)));
        return ok ? DaemonCommand.OK : DaemonCommand.FAILED;
    }

    private static List<ControlRecord> request(String path, List<String> words) throws IOException, BadUsageException {
        byte[] request = ControlProtocol.encodeRequest(words).getBytes(StandardCharsets.UTF_8);
        if (request.length > ControlProtocol.MAX_REQUEST_BYTES) {
            throw new BadUsageException(
                    "expected a command of at most " + ControlProtocol.MAX_REQUEST_BYTES + " bytes");
        }
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            ByteBuffer bytes = ByteBuffer.wrap(request);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            return response(new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8)));
        } catch (java.net.SocketException unreachable) {
            throw new IOException(
                    path + ": " + unreachable.getMessage() + "; expected the control socket of a running daemon",
                    unreachable);
        }
    }

    private static List<ControlRecord> response(BufferedReader lines) throws IOException {
        String first = lines.readLine();
        if (first == null) {
            throw new IOException("the daemon closed the connection without a response");
        }
        String[] words = first.split("\t", 2);
        if (words[0].equals(ControlProtocol.ERROR) && words.length == 2) {
            throw new IOException(ControlFieldEscaping.unescape(words[1]));
        }
        if (!first.equals(ControlProtocol.OK)) {
            throw new IOException("expected a response of protocol " + ControlProtocol.REQUEST);
        }
        List<ControlRecord> records = new ArrayList<>();
        try {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                records.add(ControlRecord.decode(line));
            }
        } catch (IllegalArgumentException malformed) {
            throw new IOException(malformed.getMessage(), malformed);
        }
        return records;
    }
}
