package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * A ComScire quantum generator through libqwqngx, the C interface of its driver; loaded when it is opened. All of it
 * belongs to one thread. Only one device per computer.
 */
@SuppressWarnings("restricted")
public final class QngLibrary implements AutoCloseable {
    /** What the driver gives in one call at most. */
    public static final int MOST_BYTES = 8192;

    private static final int LONGEST_STATUS = 256;

    private final Arena arena;
    private final SymbolLookup library;
    private final MemorySegment randbytes;
    private final long handle;

    private QngLibrary(Arena arena, SymbolLookup library, long handle) throws IOException {
        this.arena = arena;
        this.library = library;
        this.handle = handle;
        this.randbytes = symbol(library, "qwqngx_randbytes");
    }

    /**
     * Loads the library and opens the device.
     *
     * @param path of the library; a name without a directory is looked for as the system does
     * @throws IOException if there is no such library, or no device
     */
    public static QngLibrary open(String path) throws IOException {
        Arena arena = Arena.ofConfined();
        try {
            SymbolLookup library = load(path, arena);
            MemorySegment handle = arena.allocate(ValueLayout.JAVA_LONG);
            int result = Libc.callInt(symbol(library, "qwqngx_init"), handle.address(), 0, 0, 0, 0);
            if (result != 0) {
                throw new IOException("no device that works: qwqngx_init gave " + result);
            }
            return new QngLibrary(arena, library, handle.get(ValueLayout.JAVA_LONG, 0));
        } catch (IOException | RuntimeException refused) {
            arena.close();
            throw refused;
        }
    }

    /** Fills memory with 1 to {@link #MOST_BYTES} random bytes. */
    public void fill(MemorySegment target, long offset, int length) throws IOException {
        long address = RandomFile.address(target, offset, length);
        if (Libc.callInt(randbytes, handle, address, length, 0, 0) != 0) {
            throw new IOException("reading failed: " + status());
        }
    }

    private String status() throws IOException {
        long text = Libc.callLong(symbol(library, "qwqngx_status_string"), handle, 0, 0, 0, 0);
        return text == 0
                ? "no reason given"
                : MemorySegment.ofAddress(text).reinterpret(LONGEST_STATUS).getString(0);
    }

    @Override
    public void close() {
        library.find("qwqngx_free").ifPresent(free -> Libc.callLong(free, handle, 0, 0, 0, 0));
        arena.close();
    }

    private static SymbolLookup load(String path, Arena arena) throws IOException {
        try {
            return path.indexOf('/') < 0
                    ? SymbolLookup.libraryLookup(path, arena)
                    : SymbolLookup.libraryLookup(Path.of(path), arena);
        } catch (IllegalArgumentException missing) {
            throw new IOException("no library " + path + " that can be loaded", missing);
        }
    }

    private static MemorySegment symbol(SymbolLookup library, String name) throws IOException {
        return library.find(name).orElseThrow(() -> new IOException("the library has no function " + name));
    }
}
