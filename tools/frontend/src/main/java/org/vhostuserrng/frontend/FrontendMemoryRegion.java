package org.vhostuserrng.frontend;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * One region of guest memory in a memfd of its own. Three addresses name each of its bytes and differ on purpose, so
 * that a back-end that takes one for another is noticed: the guest's physical one, the front-end's "user" one (a number
 * the front-end chose, nothing is mapped there) and the one of {@link #segment()}.
 */
public final class FrontendMemoryRegion implements AutoCloseable {
    /** What may be done to the size of the file later. */
    public enum Sealing {
        /** Already sealed against shrinking, as QEMU's memory-backend-memfd. */
        SEALED,
        /** Not sealed; whoever has the file may seal it. */
        SEALABLE,
        /** Can be truncated for ever, as QEMU's memory-backend-file. */
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
     * @param guestAddress guest physical address of the first byte
     * @param userAddress the address that SET_VRING_ADDR shall use for the first byte
     * @param size bytes, a multiple of the page size
     * @param mmapOffset where the region begins in its file, a multiple of the page size
     * @throws IOException when the system has no memory or file descriptors
     */
    public FrontendMemoryRegion(long guestAddress, long userAddress, long size, long mmapOffset, Sealing sealing)
            throws IOException {
        this(guestAddress, userAddress, size, mmapOffset, sealing, 0);
    }

    /**
     * A sealed region of the machine's huge pages.
     *
     * @param size bytes, a multiple of the huge pages' size; so is {@code mmapOffset}
     * @throws IOException when the system has too few of them
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

    /** The memfd, owned by this object. */
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

    /** Bytes. */
    public long size() {
        return segment.byteSize();
    }

    /** The region as this process sees it; any thread may use it until the region is closed. */
    public MemorySegment segment() {
        return segment;
    }

    /** Whether {@code length} bytes from guest physical address {@code address} on all lie in the region. */
    public boolean contains(long address, long length) {
        long offset = address - guestAddress;
        return offset >= 0 && offset <= size() && length <= size() - offset;
    }

    /** Sets the length of the file, in bytes from its start. To touch {@link #segment()} beyond it is an error. */
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
