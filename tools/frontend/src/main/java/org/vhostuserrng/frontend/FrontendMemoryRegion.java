package org.vhostuserrng.frontend;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * One region of guest memory, backed by its own memfd. Each byte has three different addresses, so that a back-end that
 * confuses them fails: the guest-physical address, the front-end's user address (an arbitrary number, where nothing is
 * mapped) and the address in {@link #segment()}.
 */
public final class FrontendMemoryRegion implements AutoCloseable {
    /** Whether the memfd is or can be sealed, which prevents that it shrinks. */
    public enum Sealing {
        /** Sealed against shrinking, like QEMU's memory-backend-memfd. */
        SEALED,
        /** Not sealed, but the back-end can add seals. */
        SEALABLE,
        /** Seals are impossible, as with QEMU's memory-backend-file; the file can always be truncated. */
        UNSEALABLE
    }

    private final int fd;
    private final long guestAddress;
    private final long userAddress;
    private final long mmapOffset;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;
    private boolean open = true;

    /**
     * Creates a region with its memfd.
     *
     * @param guestAddress guest-physical address of the first byte
     * @param userAddress user address of the first byte, for SET_VRING_ADDR
     * @param size size in bytes, a multiple of the page size
     * @param mmapOffset offset of the region in its file, a multiple of the page size
     * @throws IOException if the system has no memory or file descriptors left
     */
    public FrontendMemoryRegion(long guestAddress, long userAddress, long size, long mmapOffset, Sealing sealing)
            throws IOException {
        this(guestAddress, userAddress, size, mmapOffset, sealing, 0);
    }

    /**
     * Creates a sealed region of huge pages.
     *
     * @param size size in bytes, a multiple of the huge page size
     * @param mmapOffset offset of the region in its file, a multiple of the huge page size
     * @throws IOException if the system has too few huge pages
     */
    public static FrontendMemoryRegion ofHugePages(long guestAddress, long userAddress, long size, long mmapOffset)
            throws IOException {
        return new FrontendMemoryRegion(
                guestAddress, userAddress, size, mmapOffset, Sealing.SEALED, FrontendLibc.MFD_HUGETLB);
    }

    private FrontendMemoryRegion(
            long guestAddress, long userAddress, long size, long mmapOffset, Sealing sealing, int kindOfPages)
            throws IOException {
        this.guestAddress = guestAddress;
        this.userAddress = userAddress;
        this.mmapOffset = mmapOffset;
        int sealable = sealing == Sealing.UNSEALABLE ? 0 : FrontendLibc.MFD_ALLOW_SEALING;
        int flags = FrontendLibc.MFD_CLOEXEC | sealable | kindOfPages;
        fd = FrontendLibc.checkErrno("memfd_create", FrontendLibc.calls().memfd_create("guest-memory", flags));
        truncate(mmapOffset + size);
        if (sealing == Sealing.SEALED) {
            FrontendLibc.checkErrno(
                    "F_ADD_SEALS",
                    FrontendLibc.calls().fcntl(fd, FrontendLibc.F_ADD_SEALS, FrontendLibc.F_SEAL_SHRINK));
        }
        segment = map(size);
    }

    private MemorySegment map(long size) throws IOException {
        Path file = Path.of("/proc/self/fd", Integer.toString(fd));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, mmapOffset, size, arena);
        }
    }

    /** The memfd. This object remains its owner. */
    public int fd() {
        return fd;
    }

    public long guestAddress() {
        return guestAddress;
    }

    public long userAddress() {
        return userAddress;
    }

    public long mmapOffset() {
        return mmapOffset;
    }

    /** Size in bytes. */
    public long size() {
        return segment.byteSize();
    }

    /** The mapping of the region in this process. Any thread may use it until the region is closed. */
    public MemorySegment segment() {
        return segment;
    }

    /** Whether the region contains all {@code length} bytes from guest-physical address {@code address}. */
    public boolean contains(long address, long length) {
        long offset = address - guestAddress;
        return offset >= 0 && offset <= size() && length <= size() - offset;
    }

    /** Sets the size of the file in bytes. An access to {@link #segment()} beyond the new size causes SIGBUS. */
    public void truncate(long length) throws IOException {
        FrontendLibc.checkErrno("ftruncate", FrontendLibc.calls().ftruncate(fd, length));
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            arena.close();
            FrontendLibc.calls().close(fd);
        }
    }
}
