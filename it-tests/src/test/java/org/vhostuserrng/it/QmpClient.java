package org.vhostuserrng.it;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** QEMU's monitor: one JSON object a line, both ways. Waits as long as QEMU takes: the test's timeout ends it. */
final class QmpClient implements AutoCloseable {
    private final SocketChannel socket;
    private final BufferedReader lines;
    private final List<String> events = new ArrayList<>();

    private QmpClient(SocketChannel socket) {
        this.socket = socket;
        this.lines = new BufferedReader(Channels.newReader(socket, StandardCharsets.UTF_8));
    }

    static QmpClient over(SocketChannel socket) throws IOException {
        QmpClient qmp = new QmpClient(socket);
        qmp.line();
        qmp.execute("qmp_capabilities");
        return qmp;
    }

    /** Sends a command without arguments and gives the answer. */
    String execute(String command) throws IOException {
        return send("{\"execute\": \"" + command + "\"}");
    }

    /** Sends a command with the members of its arguments object. */
    String execute(String command, String members) throws IOException {
        return send("{\"execute\": \"" + command + "\", \"arguments\": {" + members + "}}");
    }

    /** Sends a whole command and gives the answer, which is no error. */
    String send(String json) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((json.replace('\n', ' ') + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            socket.write(bytes);
        }
        while (true) {
            String line = line();
            if (line.startsWith("{\"return\":")) {
                return line;
            }
            if (line.startsWith("{\"error\":")) {
                throw new AssertionError(json + " gave " + line);
            }
            events.add(line);
        }
    }

    /** Waits until a device that was told to go is gone, which its back-end is a moment before. */
    void awaitDeleted(String device) throws IOException {
        String data = "\"event\": \"DEVICE_DELETED\", \"data\": {\"device\": \"" + device + "\"";
        while (events.stream().noneMatch(event -> event.contains(data))) {
            events.add(line());
        }
        events.clear();
    }

    private String line() throws IOException {
        String line = lines.readLine();
        if (line == null) {
            throw new IOException("QEMU closed its monitor");
        }
        return line;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
