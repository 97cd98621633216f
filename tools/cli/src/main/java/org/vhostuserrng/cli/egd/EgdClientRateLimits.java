package org.vhostuserrng.cli.egd;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitMode;

/**
 * The rate limits of the clients. A limit belongs to an address, not to a connection, so that reconnecting does not
 * reset it: all connections from one IPv4 address, from one IPv6 /64 network, or over UNIX sockets share a limit. A
 * limit is removed when there was no connection for a whole period. Confined to the server's thread.
 */
final class EgdClientRateLimits {
    /** Further addresses share one limit, so that many addresses cannot use up the memory. */
    static final int MAX_ADDRESSES = 1 << 16;

    private static final int IPV6_NETWORK_BYTES = 8;
    private static final Object OTHER_ADDRESSES = "others";
    private static final Object UNIX = "unix";

    /** The limit of one address. */
    final class AddressLimit {
        private final GuestRateLimiter limiter = new GuestRateLimiter(RateLimitMode.WINDOW, maxBytes, periodMillis);
        private int connections;
        private long idleSince;

        GuestRateLimiter limiter() {
            return limiter;
        }

        /** Must be called when a connection that {@link #acquire} counted is closed. */
        void release(long now) {
            connections--;
            idleSince = now;
        }

        private boolean isUnused(long now) {
            return connections == 0 && now - idleSince >= TimeUnit.MILLISECONDS.toNanos(periodMillis);
        }
    }

    private final long maxBytes;
    private final int periodMillis;
    private final Map<Object, AddressLimit> limits = new HashMap<>();
    private int pruneAt = 1024;

    EgdClientRateLimits(long maxBytes, int periodMillis) {
        this.maxBytes = maxBytes;
        this.periodMillis = periodMillis;
    }

    /** Returns the limit for a new connection with {@code peer}, and counts the connection. */
    AddressLimit acquire(SocketAddress peer, long now) {
        if (limits.size() >= pruneAt) {
            limits.values().removeIf(limit -> limit.isUnused(now));
            pruneAt = Math.max(1024, 2 * limits.size());
        }
        Object key = key(peer);
        if (limits.size() >= MAX_ADDRESSES && !limits.containsKey(key)) {
            key = OTHER_ADDRESSES;
        }
        AddressLimit limit = limits.computeIfAbsent(key, added -> new AddressLimit());
        limit.connections++;
        return limit;
    }

    private static Object key(SocketAddress peer) {
        if (!(peer instanceof InetSocketAddress tcp)) {
            return UNIX;
        }
        InetAddress address = tcp.getAddress();
        byte[] bytes = address.getAddress();
        if (bytes.length <= Integer.BYTES) {
            return address;
        }
        return ByteBuffer.wrap(Arrays.copyOf(bytes, IPV6_NETWORK_BYTES)).getLong();
    }
}
