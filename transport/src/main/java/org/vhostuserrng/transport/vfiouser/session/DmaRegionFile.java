package org.vhostuserrng.transport.vfiouser.session;

import java.io.IOException;
import java.util.concurrent.Executor;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.AnonymousMapping;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.UnmappableFileException;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;

/**
 * The file of a VFIO_USER_DMA_MAP command, or the memory for copies if the client sent none. {@link #prepare} checks,
 * seals and maps it, which may wait for the client. Therefore it runs in the client's {@link PeerFileExecutor}. The
 * command is completed afterwards, and takes the region. Confined to the loop's thread, but for {@link #prepare} and
 * {@link #close}.
 */
final class DmaRegionFile implements AutoCloseable {
    /** Null for a region without a descriptor. */
    private final OwnedFd file;

    private final long offset;
    private final long address;
    private final long size;
    private final VhostUserOptions options;
    private final Executor executor;

    // The results of prepare(), ordered before their use by the volatile field.
    private DmaRegion region;
    private IOException refusal;
    private volatile boolean prepared;

    /**
     * Takes ownership of the descriptor.
     *
     * @param file null for a region without a descriptor
     * @param executor unmaps the memory of such a region
     */
    DmaRegionFile(OwnedFd file, long offset, long address, long size, VhostUserOptions options, Executor executor) {
        this.file = file;
        this.offset = offset;
        this.address = address;
        this.size = size;
        this.options = options;
        this.executor = executor;
    }

    /** Maps the file. If it is refused, {@link #take} throws. */
    void prepare() {
        try {
            region = file == null
                    ? DmaRegion.withoutDescriptor(address, size, AnonymousMapping.create(size, executor))
                    : map();
        } catch (UnmappableFileException unmappable) {
            region = DmaRegion.inaccessible(address, size, unmappable.getMessage());
        } catch (IOException refused) {
            refusal = refused;
        } finally {
            closeFile();
            prepared = true;
        }
    }

    private void closeFile() {
        if (file != null) {
            file.close();
        }
    }

    private DmaRegion map() throws IOException {
        MemoryMapping mapping = MemoryMapping.adopt(file, offset, size, options.memoryFileSystems());
        if (options.sealedMemoryOnly() && !mapping.isSealed()) {
            mapping.close();
            throw new IOException("memory cannot be sealed against shrinking, but --require-sealed-memory is set");
        }
        return DmaRegion.mapped(address, size, mapping);
    }

    /** Whether {@link #prepare} has ended. */
    boolean isPrepared() {
        return prepared;
    }

    /**
     * Transfers the ownership of the region to the caller.
     *
     * @throws IOException if the file was refused
     */
    DmaRegion take() throws IOException {
        if (refusal != null) {
            throw refusal;
        }
        DmaRegion taken = region;
        region = null;
        taken.open();
        return taken;
    }

    /** Unmaps a region that was not taken. */
    @Override
    public void close() {
        closeFile();
        if (region != null) {
            region.unmap();
            region = null;
        }
    }
}
