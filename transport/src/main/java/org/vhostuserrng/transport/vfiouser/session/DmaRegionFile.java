package org.vhostuserrng.transport.vfiouser.session;

import java.io.IOException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.UnmappableFileException;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;

/**
 * The file of a VFIO_USER_DMA_MAP command. {@link #prepare} checks, seals and maps it, which may wait for the client.
 * Therefore it runs in the client's {@link PeerFileExecutor}. The command is completed afterwards, and takes the
 * region. Confined to the loop's thread, but for {@link #prepare} and {@link #close}.
 */
final class DmaRegionFile implements AutoCloseable {
    private final OwnedFd file;
    private final long offset;
    private final long address;
    private final long size;
    private final VhostUserOptions options;

    // The results of prepare(), ordered before their use by the volatile field.
    private DmaRegion region;
    private IOException refusal;
    private volatile boolean prepared;

    /** Takes ownership of the descriptor. */
    DmaRegionFile(OwnedFd file, long offset, long address, long size, VhostUserOptions options) {
        this.file = file;
        this.offset = offset;
        this.address = address;
        this.size = size;
        this.options = options;
    }

    /** Maps the file. If it is refused, {@link #take} throws. */
    void prepare() {
        try {
            region = map();
        } catch (UnmappableFileException unmappable) {
            region = new DmaRegion(address, size, null, unmappable.getMessage());
        } catch (IOException refused) {
            refusal = refused;
        } finally {
            file.close();
            prepared = true;
        }
    }

    private DmaRegion map() throws IOException {
        MemoryMapping mapping = MemoryMapping.adopt(file, offset, size, options.memoryFileSystems());
        if (options.sealedMemoryOnly() && !mapping.isSealed()) {
            mapping.close();
            throw new IOException("memory cannot be sealed against shrinking, but --require-sealed-memory is set");
        }
        return new DmaRegion(address, size, mapping, null);
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
        if (taken.isMapped()) {
            taken.mapping().open();
        }
        return taken;
    }

    /** Unmaps a region that was not taken. */
    @Override
    public void close() {
        file.close();
        if (region != null) {
            region.unmap();
            region = null;
        }
    }
}
