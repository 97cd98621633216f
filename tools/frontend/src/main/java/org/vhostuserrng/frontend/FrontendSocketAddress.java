package org.vhostuserrng.frontend;

import java.io.File;
import java.nio.file.Path;
import jnr.unixsocket.UnixSocketAddress;

/** Addresses of UNIX sockets. */
final class FrontendSocketAddress {
    private FrontendSocketAddress() {}

    /**
     * The address of a path, which jnr-unixsocket encodes as UTF-8. {@link Path#toString} decodes a path with the
     * encoding of the locale, which may lack its characters.
     */
    static UnixSocketAddress of(Path path) {
        String text = path.toString();
        boolean ascii = text.chars().allMatch(character -> character < 0x80);
        return new UnixSocketAddress(new File(ascii ? text : path.toUri().getPath()));
    }
}
