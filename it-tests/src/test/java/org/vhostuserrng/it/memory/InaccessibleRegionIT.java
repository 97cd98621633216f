package org.vhostuserrng.it.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.vhostuserrng.frontend.FrontendMessageType.ADD_MEM_REG;
import static org.vhostuserrng.frontend.FrontendMessageType.REM_MEM_REG;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_MEM_TABLE;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.frontend.BackendRequestReceiver;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendDeviceStatePipe;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendGuestMemory;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendRequestq;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.frontend.UnsuitableFileDescriptor;
import org.vhostuserrng.it.fixture.HostCommand;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.frontend.MemRegionPayloads;

/**
 * Tests guests with a memory region whose file cannot be mapped, such as the memory of another device: buffers in RAM
 * are served.
 */
class InaccessibleRegionIT {
    private static final long DEVICE_ADDRESS = 0x8_0000_0000L;
    private static final long DEVICE_USER_ADDRESS = 0x7c00_0000_0000L;
    private static final long SIZE = 1 << 20;
    private static final String REGION = "memory region 800000000 to 8000fffff, which is not accessible: ";
    private static final int MAX_REGIONS = 32;
    private static final long PAGE = 4096;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    /** A descriptor that a test sends to the daemon and then closes. */
    record SentFile(int number, Closeable owner) implements Closeable {
        @Override
        public void close() throws IOException {
            owner.close();
        }
    }

    enum UnmappableFile {
        CHARACTER_DEVICE("a character device") {
            @Override
            SentFile open(Path directory) throws IOException {
                UnsuitableFileDescriptor zero = UnsuitableFileDescriptor.readWrite(Path.of("/dev/zero"));
                return new SentFile(zero.fd(), zero::close);
            }
        },
        PIPE("a pipe") {
            @Override
            SentFile open(Path directory) throws IOException {
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe();
                return new SentFile(pipe.readEnd(), pipe::close);
            }
        },
        SOCKET("a socket") {
            @Override
            SentFile open(Path directory) throws IOException {
                BackendRequestReceiver socket = new BackendRequestReceiver();
                return new SentFile(socket.backendFd(), socket::close);
            }
        },
        EVENTFD("not a regular file") {
            @Override
            SentFile open(Path directory) throws IOException {
                FrontendEventFd eventFd = new FrontendEventFd();
                return new SentFile(eventFd.fd(), eventFd::close);
            }
        },
        DIRECTORY("a directory") {
            @Override
            SentFile open(Path directory) throws IOException {
                UnsuitableFileDescriptor opened = UnsuitableFileDescriptor.directory(directory);
                return new SentFile(opened.fd(), opened::close);
            }
        },
        READ_ONLY_FILE("opened read-only") {
            @Override
            SentFile open(Path directory) throws IOException {
                Path file = createInTmpfs(SIZE);
                UnsuitableFileDescriptor opened = UnsuitableFileDescriptor.readOnly(file);
                Files.delete(file);
                return new SentFile(opened.fd(), opened::close);
            }
        },
        WRITE_SEALED_MEMFD("sealed against writing") {
            @Override
            SentFile open(Path directory) throws IOException {
                UnsuitableFileDescriptor memfd = UnsuitableFileDescriptor.writeSealedMemfd(SIZE);
                return new SentFile(memfd.fd(), memfd::close);
            }
        },
        O_PATH("Bad file descriptor") {
            @Override
            SentFile open(Path directory) throws IOException {
                Path file = Files.write(directory.resolve("path"), new byte[(int) SIZE]);
                UnsuitableFileDescriptor opened = UnsuitableFileDescriptor.oPath(file);
                return new SentFile(opened.fd(), opened::close);
            }
        },
        SHORT_FILE("1048576 bytes from offset 0 in a file of 1 bytes") {
            @Override
            SentFile open(Path directory) throws IOException {
                Path file = createInTmpfs(1);
                UnsuitableFileDescriptor opened = UnsuitableFileDescriptor.readWrite(file);
                Files.delete(file);
                return new SentFile(opened.fd(), opened::close);
            }
        },
        OVERLAYFS("file system of type overlay (--allow-memory-on=overlay)") {
            @Override
            SentFile open(Path directory) throws IOException {
                return openOnOverlayfs(directory, Path.of("/"), "mount");
            }
        },
        OTHER_MOUNT_NAMESPACE("no file system that is mounted for this process") {
            @Override
            SentFile open(Path directory) throws IOException {
                Process namespace = new ProcessBuilder("unshare", "--mount", "sleep", "infinity").start();
                try {
                    Path root = Path.of("/proc/" + namespace.pid() + "/root");
                    Path mounts = Path.of("/proc/" + namespace.pid() + "/ns/mnt");
                    Path own = Files.readSymbolicLink(Path.of("/proc/self/ns/mnt"));
                    assertEventually("the namespace exists", () -> !own.equals(Files.readSymbolicLink(mounts)));
                    return openOnOverlayfs(
                            directory, root, "nsenter", "--target=" + namespace.pid(), "--mount", "mount");
                } finally {
                    namespace.destroy();
                }
            }
        };

        private final String reason;

        UnmappableFile(String reason) {
            this.reason = reason;
        }

        abstract SentFile open(Path directory) throws IOException;
    }

    /** Creates a file in tmpfs. The daemon may refuse files in the file system of the directory for temporary files. */
    private static Path createInTmpfs(long size) throws IOException {
        return Files.write(Files.createTempFile(Path.of("/dev/shm"), "memory", ""), new byte[(int) size]);
    }

    /**
     * Opens a file in an overlayfs whose layers are in tmpfs. Skips the test if this process may not mount.
     *
     * @param root root directory in which the mount is visible
     * @param mount prefix of the command that mounts
     */
    private static SentFile openOnOverlayfs(Path directory, Path root, String... mount) throws IOException {
        Path layers = Files.createTempDirectory(Path.of("/dev/shm"), "overlay");
        Path merged = Files.createDirectories(directory.resolve("merged"));
        for (String layer : List.of("lower", "upper", "work")) {
            Files.createDirectory(layers.resolve(layer));
        }
        Files.write(layers.resolve("lower/memory"), new byte[(int) SIZE]);
        List<String> command = new ArrayList<>(List.of(mount));
        command.addAll(List.of("-t", "overlay", "overlay", "-o"));
        command.add("lowerdir=" + layers + "/lower,upperdir=" + layers + "/upper,workdir=" + layers + "/work");
        command.add(merged.toString());
        assumeTrue(runs(command), "cannot mount overlayfs");
        UnsuitableFileDescriptor file = UnsuitableFileDescriptor.readWrite(
                root.resolve(merged.toString().substring(1)).resolve("memory"));
        return new SentFile(file.fd(), () -> {
            file.close();
            runs(List.of("umount", "--lazy", merged.toString()));
            runs(List.of("rm", "-r", layers.toString()));
        });
    }

    private static boolean runs(List<String> command) throws IOException {
        try {
            return HostCommand.run(Map.of(), Path.of("/"), command).status() == 0;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(command.toString());
        }
    }

    /** Returns a description of the device's region. A test sends another file instead of the region's own memory. */
    private static FrontendMemoryRegion deviceRegion() throws IOException {
        return new FrontendMemoryRegion(DEVICE_ADDRESS, DEVICE_USER_ADDRESS, SIZE, 0, Sealing.SEALED);
    }

    private static byte[] table(EntropyDriver guest, List<FrontendMemoryRegion> more) {
        List<FrontendMemoryRegion> all = new ArrayList<>(guest.memory().regions());
        all.addAll(more);
        return FrontendPayloadEncoder.memoryRegions(all);
    }

    private static int[] fds(EntropyDriver guest, int... more) {
        int[] ram = guest.memory().fds();
        int[] all = Arrays.copyOf(ram, ram.length + more.length);
        System.arraycopy(more, 0, all, ram.length, more.length);
        return all;
    }

    /** Sends a memory table with the RAM and the device's memory. Returns the acknowledgement. */
    private static long plugDevice(EntropyDriver guest, int deviceFd) throws IOException {
        try (FrontendMemoryRegion device = deviceRegion()) {
            return guest.session()
                    .sendWithNeedReply(SET_MEM_TABLE.id(), table(guest, List.of(device)), fds(guest, deviceFd));
        }
    }

    private static void requestIn(EntropyDriver guest, long address) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(address, 64));
        guest.requestq().kick().signal();
    }

    private static void assertBroken(EntropyDriver guest, DaemonProcess daemon, String message) throws IOException {
        assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0, "err was not signalled");
        assertEventually("the log says: " + message, () -> daemon.log().contains(message));
    }

    @ParameterizedTest
    @EnumSource
    void ramIsServedBesideAnUnmappableFile(UnmappableFile file) throws Exception {
        DaemonProcess daemon = daemons.start();
        try (SentFile sent = file.open(daemons.directory());
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);

            long acknowledgement = plugDevice(guest, sent.number());

            assertEquals(0, acknowledgement);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            assertEventually("the log names the region", () -> daemon.log().contains(REGION));
            assertTrue(daemon.log().contains(file.reason), daemon.log());
        }
    }

    @ParameterizedTest
    @EnumSource
    void requestInTheRegionBreaksTheVring(UnmappableFile file) throws Exception {
        DaemonProcess daemon = daemons.start();
        try (SentFile sent = file.open(daemons.directory());
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            plugDevice(guest, sent.number());

            requestIn(guest, DEVICE_ADDRESS + 0x1000);

            assertBroken(
                    guest,
                    daemon,
                    "buffer is in a memory region that is not accessible: guest address 800001000 is in " + REGION);
        }
    }

    @Test
    void regionOnAFileSystemThatTheOperatorAllowsIsServed() throws Exception {
        DaemonProcess daemon = daemons.start("--allow-memory-on=overlay");
        try (SentFile sent = UnmappableFile.OVERLAYFS.open(daemons.directory());
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            plugDevice(guest, sent.number());

            requestIn(guest, DEVICE_ADDRESS + 0x1000);

            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    @Test
    void regionIsLoggedOnceAlthoughTheTableIsSentAgain() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (SentFile sent = UnmappableFile.PIPE.open(daemons.directory());
                EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            plugDevice(guest, sent.number());
            plugDevice(guest, sent.number());

            plugDevice(guest, sent.number());

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            assertEquals(
                    1,
                    daemon.log().lines().filter(line -> line.contains(REGION)).count());
        }
    }

    @Test
    void vringInTheRegionIsBroken() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (SentFile sent = UnmappableFile.CHARACTER_DEVICE.open(daemons.directory());
                FrontendMemoryRegion rings = new FrontendMemoryRegion(
                        EntropyDriver.RING_ADDRESS, DEVICE_USER_ADDRESS, SIZE, 0, Sealing.SEALED);
                FrontendGuestMemory memory = new FrontendGuestMemory(List.of(rings));
                EntropyDriver guest = EntropyDriver.initialise(daemon.socket(), Options.DEFAULT)) {
            guest.session().setFeatures(guest.features());
            guest.session()
                    .sendWithNeedReply(
                            SET_MEM_TABLE.id(), FrontendPayloadEncoder.memoryRegions(List.of(rings)), sent.number());

            guest.session().startRing(guest.requestq(), memory, 0);

            assertBroken(guest, daemon, "descriptor table at 40000000 is not in one region of guest memory");
            assertTrue(daemon.log().contains("which is not accessible: it is a character device"), daemon.log());
            assertEquals(0, guest.session().getVringBase(FrontendRequestq.INDEX));
        }
    }

    @Test
    void unmappableRegionIsAddedAndRemoved() throws Exception {
        DaemonProcess daemon = daemons.start("--mem-slots");
        long slots = ProtocolFeatureBit.CONFIGURE_MEM_SLOTS.mask();
        byte[] region = MemRegionPayloads.singleRegion(DEVICE_ADDRESS, SIZE, 0);
        try (SentFile sent = UnmappableFile.PIPE.open(daemons.directory());
                EntropyDriver guest = EntropyDriver.start(
                        daemon.socket(),
                        Options.DEFAULT.withProtocolFeatures(Options.DEFAULT.protocolFeatures() | slots))) {
            long added = guest.session().sendWithNeedReply(ADD_MEM_REG.id(), region, sent.number());
            int served = guest.request(64, HANG_TIMEOUT).length;

            long removed = guest.session().sendWithNeedReply(REM_MEM_REG.id(), region);

            assertEquals(0, added);
            assertEquals(64, served);
            assertEquals(0, removed);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            requestIn(guest, DEVICE_ADDRESS);
            assertBroken(guest, daemon, "guest address 800000000 is in no memory region of the front-end");
        }
    }

    @Test
    void tableOf32RegionsWithAsManyDescriptorsIsAccepted() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket());
                FrontendGuestMemory added = new FrontendGuestMemory(
                        regions(MAX_REGIONS - guest.memory().regions().size()))) {
            long acknowledgement = guest.session()
                    .sendWithNeedReply(SET_MEM_TABLE.id(), table(guest, added.regions()), fds(guest, added.fds()));

            assertEquals(0, acknowledgement);
            requestIn(guest, added.regions().getLast().guestAddress());
            assertTrue(guest.awaitUsed(HANG_TIMEOUT));
        }
    }

    private static List<FrontendMemoryRegion> regions(int count) throws IOException {
        List<FrontendMemoryRegion> regions = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long offset = 2 * PAGE * i;
            regions.add(new FrontendMemoryRegion(
                    DEVICE_ADDRESS + offset, DEVICE_USER_ADDRESS + offset, PAGE, 0, Sealing.SEALED));
        }
        return regions;
    }
}
