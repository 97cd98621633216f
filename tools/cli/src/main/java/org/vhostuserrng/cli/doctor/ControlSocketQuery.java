package org.vhostuserrng.cli.doctor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.libc.NativePath;

/** A client of the control protocol, version 1, which tools/README.md describes under "Protocol". */
final class ControlSocketQuery implements ControlQuery {
    private static final String REQUEST = "vhost-user-rng/1";
    private static final String SEPARATOR = "\t";
    private static final int MAX_RESPONSE_BYTES = 16 << 20;
    private static final long TIMEOUT_SECONDS = 10;

    private final String path;

    ControlSocketQuery(String path) {
        this.path = path;
    }

    @Override
    public List<Map<String, String>> request(String... words) throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(NativePath.of(path)))) {
            Executor later = CompletableFuture.delayedExecutor(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            CompletableFuture<Void> timeout = CompletableFuture.runAsync(() -> close(channel), later);
            try {
                send(channel, REQUEST + SEPARATOR + String.join(SEPARATOR, words) + "\n");
                byte[] response = Channels.newInputStream(channel).readNBytes(MAX_RESPONSE_BYTES);
                return decode(new String(response, StandardCharsets.UTF_8));
            } finally {
                timeout.cancel(false);
            }
        }
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static void send(SocketChannel channel, String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Decodes a response: a line {@code ok} or {@code error}, then a line of fields for each record. */
    static List<Map<String, String>> decode(String response) throws IOException {
        List<String> lines = response.lines().toList();
        String first = lines.isEmpty() ? "" : lines.getFirst();
        if (!first.equals("ok")) {
            throw new IOException(
                    first.startsWith("error" + SEPARATOR)
                            ? unescape(first.substring("error".length() + 1))
                            : "expected a response of protocol " + REQUEST);
        }
        List<Map<String, String>> records = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            Map<String, String> fields = new LinkedHashMap<>();
            for (String field : line.split(SEPARATOR, -1)) {
                String[] keyAndValue = unescape(field).split("=", 2);
                fields.put(keyAndValue[0], keyAndValue.length == 2 ? keyAndValue[1] : "");
            }
            records.add(fields);
        }
        return records;
    }

    private static String unescape(String word) {
        StringBuilder decoded = new StringBuilder(word.length());
        boolean escaped = false;
        for (int i = 0; i < word.length(); i++) {
            char next = word.charAt(i);
            if (!escaped && next == '\\') {
                escaped = true;
            } else {
                decoded.append(escaped ? unescape(next) : next);
                escaped = false;
            }
        }
        return decoded.toString();
    }

    private static char unescape(char escaped) {
        return switch (escaped) {
            case 't' -> '\t';
            case 'n' -> '\n';
            case 'r' -> '\r';
            default -> escaped;
        };
    }
}
