package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import jnr.ffi.Pointer;

/**
 * A file of one page in a FUSE file system of this process. The file system never replies to a read: a thread that
 * accesses {@link #page} waits in the kernel until {@link #close}, and its system call holds its locks meanwhile. Needs
 * /dev/fuse and permission to mount.
 */
public final class UnansweredFuseFile implements AutoCloseable {
    /** Size of the file and of its mapping, in bytes. */
    public static final int PAGE_BYTES = 4096;

    private static final String NAME = "page";
    private static final long ROOT_INODE = 1;
    private static final long FILE_INODE = 2;

    // Constants and struct sizes of linux/fuse.h.
    private static final int FUSE_LOOKUP = 1;
    private static final int FUSE_FORGET = 2;
    private static final int FUSE_GETATTR = 3;
    private static final int FUSE_OPEN = 14;
    private static final int FUSE_READ = 15;
    private static final int FUSE_INIT = 26;
    private static final int FUSE_INTERRUPT = 36;
    private static final int FUSE_BATCH_FORGET = 42;
    private static final int VERSION = 7;
    private static final int MINOR_VERSION = 31;
    private static final int IN_HEADER_BYTES = 40;
    private static final int OUT_HEADER_BYTES = 16;
    private static final int INIT_OUT_BYTES = 64;
    private static final int ENTRY_OUT_BYTES = 128;
    private static final int ATTR_OUT_BYTES = 104;
    private static final int OPEN_OUT_BYTES = 16;
    private static final int REQUEST_BYTES = 1 << 17;
    private static final int S_IFDIR = 0x4000;
    private static final int S_IFREG = 0x8000;
    private static final int READABLE = 0x1a4;
    private static final int ENOSYS = 38;

    private static final int MNT_FORCE = 1;
    private static final int MNT_DETACH = 2;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE = 2;

    private final int device;
    private final Path mountPoint;
    private final Pointer request = allocate(REQUEST_BYTES);
    private final CountDownLatch unanswered = new CountDownLatch(1);
    private final Thread server = new Thread(this::serve, "unanswered-fuse");
    private final Pointer page;

    /**
     * Mounts the file system.
     *
     * @throws IOException if the host has no FUSE, or this process may not mount
     */
    public UnansweredFuseFile() throws IOException {
        device = FrontendLibc.checkErrno(
                "open /dev/fuse", FrontendLibc.calls().open("/dev/fuse", FrontendLibc.O_RDWR | FrontendLibc.O_CLOEXEC));
        mountPoint = Files.createTempDirectory("unanswered-fuse");
        String options = "fd=" + device + ",rootmode=40000,user_id=0,group_id=0";
        int mounted = FrontendLibc.calls().mount("unanswered", mountPoint.toString(), "fuse", 0, options);
        if (mounted < 0) {
            String errno = FrontendLibc.errno().toString();
            FrontendLibc.calls().close(device);
            Files.delete(mountPoint);
            throw new IOException("mount: " + errno);
        }
        server.setDaemon(true);
        server.start();
        page = map();
    }

    private static Pointer allocate(int bytes) {
        return FrontendLibc.runtime().getMemoryManager().allocateDirect(bytes, true);
    }

    private Pointer map() throws IOException {
        int file = FrontendLibc.checkErrno(
                "open", FrontendLibc.calls().open(mountPoint.resolve(NAME).toString(), FrontendLibc.O_CLOEXEC));
        Pointer mapped = FrontendLibc.calls().mmap(null, PAGE_BYTES, PROT_READ_WRITE, MAP_PRIVATE, file, 0);
        FrontendLibc.calls().close(file);
        if (mapped.address() == -1) {
            throw new IOException("mmap: " + FrontendLibc.errno());
        }
        return mapped;
    }

    /** The mapped page. An access to the page waits until {@link #close} and then fails. */
    Pointer page() {
        return page;
    }

    /** Waits until a thread has accessed the page. Returns false if no thread does so within the timeout. */
    public boolean awaitAccess(long millis) throws InterruptedException {
        return unanswered.await(millis, TimeUnit.MILLISECONDS);
    }

    private void serve() {
        long bytes = FrontendLibc.calls().read(device, request, REQUEST_BYTES);
        while (bytes >= IN_HEADER_BYTES) {
            answer(request.getInt(4), request.getLong(8), request.getLong(16));
            bytes = FrontendLibc.calls().read(device, request, REQUEST_BYTES);
        }
    }

    private void answer(int opcode, long unique, long inode) {
        switch (opcode) {
            case FUSE_INIT -> {
                Pointer init = reply(INIT_OUT_BYTES);
                init.putInt(OUT_HEADER_BYTES, VERSION);
                init.putInt(OUT_HEADER_BYTES + 4, MINOR_VERSION);
                init.putInt(OUT_HEADER_BYTES + 20, PAGE_BYTES);
                send(init, unique, OUT_HEADER_BYTES + INIT_OUT_BYTES, 0);
            }
            case FUSE_LOOKUP -> {
                Pointer entry = reply(ENTRY_OUT_BYTES);
                entry.putLong(OUT_HEADER_BYTES, FILE_INODE);
                putAttributes(entry, OUT_HEADER_BYTES + 40, FILE_INODE);
                send(entry, unique, OUT_HEADER_BYTES + ENTRY_OUT_BYTES, 0);
            }
            case FUSE_GETATTR -> {
                Pointer attributes = reply(ATTR_OUT_BYTES);
                putAttributes(attributes, OUT_HEADER_BYTES + 16, inode);
                send(attributes, unique, OUT_HEADER_BYTES + ATTR_OUT_BYTES, 0);
            }
            case FUSE_OPEN -> send(reply(OPEN_OUT_BYTES), unique, OUT_HEADER_BYTES + OPEN_OUT_BYTES, 0);
            case FUSE_READ -> unanswered.countDown();
            case FUSE_FORGET, FUSE_BATCH_FORGET, FUSE_INTERRUPT -> {
                // The kernel expects no reply to these requests.
            }
            default -> send(reply(0), unique, OUT_HEADER_BYTES, -ENOSYS);
        }
    }

    private static Pointer reply(int bytes) {
        return allocate(OUT_HEADER_BYTES + bytes);
    }

    private static void putAttributes(Pointer reply, int at, long inode) {
        boolean isRoot = inode == ROOT_INODE;
        reply.putLong(at, inode);
        reply.putLong(at + 8L, PAGE_BYTES);
        reply.putInt(at + 60L, (isRoot ? S_IFDIR : S_IFREG) | READABLE);
        reply.putInt(at + 64L, 1);
    }

    private void send(Pointer reply, long unique, int bytes, int error) {
        reply.putInt(0, bytes);
        reply.putInt(4, error);
        reply.putLong(8, unique);
        FrontendLibc.calls().write(device, reply, bytes);
    }

    /** Ends all accesses that wait, and unmounts the file system. */
    @Override
    public void close() throws IOException {
        // MNT_FORCE aborts all requests, even though the file system is busy.
        FrontendLibc.calls().umount2(mountPoint.toString(), MNT_FORCE);
        FrontendLibc.calls().umount2(mountPoint.toString(), MNT_DETACH);
        FrontendLibc.calls().close(device);
        FrontendLibc.calls().munmap(page, PAGE_BYTES);
        Files.delete(mountPoint);
    }
}
