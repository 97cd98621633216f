package org.vhostuserrng.cli.egd;

import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EgdClientRateLimitsTest {
    private static final int PERIOD_MILLIS = 1000;
    private static final long PERIOD = TimeUnit.MILLISECONDS.toNanos(PERIOD_MILLIS);

    private final EgdClientRateLimits limits = new EgdClientRateLimits(100, PERIOD_MILLIS);

    private static SocketAddress tcp(String host, int port) throws UnknownHostException {
        return new InetSocketAddress(InetAddress.getByName(host), port);
    }

    @Test
    void connectionsOfAnAddressShareALimit() throws UnknownHostException {
        assertSame(limits.acquire(tcp("192.0.2.1", 1), 0), limits.acquire(tcp("192.0.2.1", 2), 0));
        assertNotSame(limits.acquire(tcp("192.0.2.1", 1), 0), limits.acquire(tcp("192.0.2.2", 1), 0));
    }

    @Test
    void addressesOfAnIpv6NetworkShareALimit() throws UnknownHostException {
        assertSame(limits.acquire(tcp("2001:db8::1", 1), 0), limits.acquire(tcp("2001:db8::ffff:2", 1), 0));
        assertNotSame(limits.acquire(tcp("2001:db8::1", 1), 0), limits.acquire(tcp("2001:db8:0:1::1", 1), 0));
    }

    @Test
    void unixSocketsShareALimit() {
        assertSame(
                limits.acquire(UnixDomainSocketAddress.of(""), 0), limits.acquire(UnixDomainSocketAddress.of("x"), 0));
    }

    @Test
    void keepsTheLimitOfAnAddressThatReconnectsWithinAPeriod() throws UnknownHostException {
        EgdClientRateLimits.AddressLimit first = limits.acquire(tcp("192.0.2.1", 1), 0);
        first.release(0);
        acquireMany(0, PERIOD - 1);

        assertSame(first, limits.acquire(tcp("192.0.2.1", 2), PERIOD - 1));
    }

    @Test
    void forgetsAnAddressAfterAPeriodWithoutConnections() throws UnknownHostException {
        EgdClientRateLimits.AddressLimit first = limits.acquire(tcp("192.0.2.1", 1), 0);
        first.release(0);
        acquireMany(0, PERIOD);

        assertNotSame(first, limits.acquire(tcp("192.0.2.1", 2), PERIOD));
    }

    @Test
    void addressesBeyondTheMaximumShareALimit() throws UnknownHostException {
        for (int i = 0; i < EgdClientRateLimits.MAX_ADDRESSES; i++) {
            limits.acquire(tcp("10." + (i >> 8) % 256 + "." + i % 256 + ".1", 1), 0);
        }

        assertSame(limits.acquire(tcp("192.0.2.1", 1), 0), limits.acquire(tcp("192.0.2.2", 1), 0));
    }

    /** Connects from so many other addresses that unused limits are removed. */
    private void acquireMany(int first, long now) throws UnknownHostException {
        for (int i = first; i < first + 3000; i++) {
            limits.acquire(tcp("10.1." + (i >> 8) + "." + i % 256, 1), now);
        }
    }
}
