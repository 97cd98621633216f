package org.vhostuserrng.cli.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.cli.counters.CountersFileBuilder;
import org.vhostuserrng.cli.counters.CountersFileSource;

/** Tests {@code metrics --listen}. */
class MetricsHttpServerTest {
    private static final int SLOW_CLIENTS = 32;

    @TempDir
    private Path directory;

    private final HttpClient client = HttpClient.newHttpClient();
    private long now;
    private Path file;
    private MetricsHttpServer server;

    @BeforeEach
    void start() throws IOException {
        file = directory.resolve("counters");
        new CountersFileBuilder().guest("<vm>", 100).write(file);
        server = MetricsHttpServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                new MetricsPages(new CountersFileSource(file), () -> now));
    }

    @AfterEach
    void stop() {
        server.close();
        client.close();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + server.address().getPort() + path));
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void servesMetricsInTheFormatThatTheClientAccepts() throws IOException, InterruptedException {
        HttpResponse<String> openMetrics = client.send(
                request("/metrics")
                        .header("Accept", "application/openmetrics-text; version=1.0.0")
                        .build(),
                HttpResponse.BodyHandlers.ofString());

        assertEquals(200, openMetrics.statusCode());
        assertTrue(openMetrics.body().endsWith("# EOF\n"), openMetrics.body());
        assertFalse(get("/metrics").body().contains("# EOF"));
    }

    @Test
    void statusPageEscapesNames() throws IOException, InterruptedException {
        HttpResponse<String> page = get("/");

        assertEquals(200, page.statusCode());
        assertTrue(page.body().contains("<td>&lt;vm&gt;</td>"), page.body());
        assertFalse(page.body().contains("<script"), page.body());
    }

    @Test
    void daemonThatDoesNotRunIsUnhealthy() throws IOException, InterruptedException {
        HttpResponse<String> health = get("/healthz");

        assertEquals(503, health.statusCode());
        assertEquals("the daemon does not run\n", health.body());
    }

    @Test
    void missingFileIsReportedAndReadAgainLater() throws IOException, InterruptedException {
        Files.delete(file);
        assertEquals(503, get("/metrics").statusCode());
        new CountersFileBuilder().write(file);

        now += 1_000_000_000L;

        assertEquals(200, get("/metrics").statusCode());
    }

    @Test
    void otherPathsAndMethodsAreRefused() throws IOException, InterruptedException {
        assertEquals(404, get("/metrics/x").statusCode());
        HttpResponse<String> posted = client.send(
                request("/metrics")
                        .POST(HttpRequest.BodyPublishers.ofString("x"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals(405, posted.statusCode());
    }

    @Test
    void clientsThatSendNoRequestDoNotBlockOthers() throws IOException, InterruptedException {
        List<Socket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < SLOW_CLIENTS; i++) {
                Socket socket = new Socket(
                        server.address().getAddress(), server.address().getPort());
                socket.getOutputStream().write("GET /".getBytes(StandardCharsets.US_ASCII));
                silent.add(socket);
            }

            assertEquals(200, get("/metrics").statusCode());
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
    }
}
