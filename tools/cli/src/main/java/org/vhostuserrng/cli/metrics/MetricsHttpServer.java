package org.vhostuserrng.cli.metrics;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.vhostuserrng.cli.metrics.MetricsPages.Page;

/**
 * Serves {@link MetricsPages} by HTTP. The number of connections, the durations of a request and of a response, and the
 * number of simultaneous responses are limited, so that clients can exhaust neither memory nor threads.
 */
final class MetricsHttpServer implements AutoCloseable {
    /** Maximum number of simultaneous responses, because each response may be some megabytes long. */
    private static final int MAX_RESPONSES = 8;

    private static final int MAX_CONNECTIONS = 64;
    private static final int MAX_SECONDS = 10;
    private static final int BACKLOG = 64;
    private static final int METHOD_NOT_ALLOWED = 405;
    private static final int UNAVAILABLE = 503;
    private static final int NO_BODY = -1;

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore responses = new Semaphore(MAX_RESPONSES);
    private final MetricsPages pages;

    private MetricsHttpServer(HttpServer server, MetricsPages pages) {
        this.server = server;
        this.pages = pages;
    }

    /** Starts a server on an address. */
    static MetricsHttpServer start(InetSocketAddress address, MetricsPages pages) throws IOException {
        // The JDK's HTTP server reads these properties when its first instance is created.
        System.setProperty("jdk.httpserver.maxConnections", Integer.toString(MAX_CONNECTIONS));
        System.setProperty("sun.net.httpserver.maxReqTime", Integer.toString(MAX_SECONDS));
        System.setProperty("sun.net.httpserver.maxRspTime", Integer.toString(MAX_SECONDS));
        System.setProperty("sun.net.httpserver.nodelay", "true");
        MetricsHttpServer started = new MetricsHttpServer(HttpServer.create(address, BACKLOG), pages);
        started.server.createContext("/", started::handle);
        started.server.setExecutor(started.threads);
        started.server.start();
        return started;
    }

    /** The address on which the server listens. */
    InetSocketAddress address() {
        return server.getAddress();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (!responses.tryAcquire()) {
                respond(exchange, Page.text(UNAVAILABLE, "too many requests at a time"));
                return;
            }
            try {
                respond(exchange, page(exchange));
            } finally {
                responses.release();
            }
        }
    }

    private Page page(HttpExchange exchange) throws IOException {
        return switch (exchange.getRequestMethod()) {
            case "GET", "HEAD" ->
                pages.page(
                        exchange.getRequestURI().getPath(),
                        exchange.getRequestHeaders().getFirst("Accept"));
            default -> Page.text(METHOD_NOT_ALLOWED, "method not allowed; expected GET");
        };
    }

    private static void respond(HttpExchange exchange, Page page) throws IOException {
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", page.contentType());
        headers.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("Cache-Control", "no-store");
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(page.status(), NO_BODY);
            return;
        }
        exchange.sendResponseHeaders(page.status(), page.body().length);
        exchange.getResponseBody().write(page.body());
    }

    /** Stops listening and closes all connections. */
    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
