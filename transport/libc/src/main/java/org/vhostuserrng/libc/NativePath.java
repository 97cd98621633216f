package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Converts between {@link Path} and the bytes of a path. {@link Path#of} and {@link Path#toString} use the encoding of
 * the locale, which cannot represent all paths. A {@code file:} URI can represent all bytes.
 */
public final class NativePath {
    private static final String URI_SCHEME = "file://";

    private NativePath() {}

    /**
     * Returns the path with the bytes of a text.
     *
     * @param text the path, decoded by {@link NativeText}
     * @throws InvalidPathException if the text contains a NUL character
     */
    public static Path of(String text) {
        if (NativeText.isAscii(text)) {
            return Path.of(text);
        }
        boolean absolute = text.startsWith("/");
        StringBuilder uri = new StringBuilder(URI_SCHEME).append(absolute ? "" : "/");
        for (byte next : NativeText.encode(text)) {
            if (next == 0) {
                throw new InvalidPathException(text, "Nul character not allowed");
            }
            if (next == '/') {
                uri.append('/');
            } else {
                uri.append('%');
                HexFormat.of().toHexDigits(uri, next);
            }
        }
        Path path = Path.of(URI.create(uri.toString()));
        return absolute ? path : path.subpath(0, path.getNameCount());
    }

    /** Returns the bytes of a path. */
    public static byte[] bytes(Path path) {
        String text = path.toString();
        if (NativeText.isAscii(text)) {
            return NativeText.encode(text);
        }
        byte[] bytes = percentDecoded(path.toUri().getRawPath());
        // The URI of a directory ends with a slash.
        int end = bytes[bytes.length - 1] == '/' ? bytes.length - 1 : bytes.length;
        return Arrays.copyOfRange(bytes, path.isAbsolute() ? 0 : startOfLast(path.getNameCount(), bytes, end), end);
    }

    /** Allocates a path as a C string. */
    public static MemorySegment allocate(Arena arena, Path path) {
        return NativeText.allocate(arena, bytes(path));
    }

    /** Returns the path, decoded by {@link NativeText}. */
    public static String text(Path path) {
        return NativeText.decode(bytes(path));
    }

    private static int startOfLast(int names, byte[] bytes, int end) {
        int start = end;
        for (int left = names; left > 0; left--) {
            start--;
            while (start > 0 && bytes[start - 1] != '/') {
                start--;
            }
        }
        return start;
    }

    private static byte[] percentDecoded(String rawPath) {
        byte[] bytes = new byte[rawPath.length()];
        int length = 0;
        for (int i = 0; i < rawPath.length(); i++) {
            if (rawPath.charAt(i) == '%') {
                bytes[length++] = (byte) HexFormat.fromHexDigits(rawPath, i + 1, i + 3);
                i += 2;
            } else {
                bytes[length++] = (byte) rawPath.charAt(i);
            }
        }
        return Arrays.copyOf(bytes, length);
    }
}
