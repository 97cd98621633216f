package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Libc;

/** Looks up the indices of network interfaces, which are the scope IDs of link-local IPv6 addresses (RFC 4007 §11). */
public final class NetworkInterfaceIndex {
    private static final MemorySegment IF_NAMETOINDEX = Libc.symbol("if_nametoindex");
    private static final MemorySegment IF_INDEXTONAME = Libc.symbol("if_indextoname");
    private static final int IF_NAMESIZE = 16;
    private static final int MAX_INDEX_DIGITS = 9;

    private NetworkInterfaceIndex() {}

    /**
     * Returns the index of a network interface.
     *
     * @param zone the name of the interface, or its index in decimal digits
     * @throws IOException if there is no such interface
     */
    public static int of(String zone) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            int index = Libc.callInt(IF_NAMETOINDEX, arena.allocateFrom(zone).address(), 0, 0, 0, 0);
            if (index <= 0 && isNumber(zone)) {
                index = Integer.parseInt(zone);
                long name = arena.allocate(IF_NAMESIZE).address();
                index = Libc.callLong(IF_INDEXTONAME, index, name, 0, 0, 0, 0) == 0 ? 0 : index;
            }
            if (index <= 0) {
                throw new IOException("there is no network interface " + zone);
            }
            return index;
        }
    }

    private static boolean isNumber(String zone) {
        return zone.length() <= MAX_INDEX_DIGITS && zone.chars().allMatch(c -> c >= '0' && c <= '9');
    }
}
