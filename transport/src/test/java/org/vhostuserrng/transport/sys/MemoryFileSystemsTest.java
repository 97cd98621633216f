package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

class MemoryFileSystemsTest {
    private static final List<String> MOUNTS = List.of(
            "36 35 98:0 / / rw,noatime shared:1 master:2 - ext4 /dev/vda rw,errors=continue",
            "3 36 0:30 / /home/user/a\\040-\\040b rw - fuse.sshfs host:/ rw,user_id=1000",
            "363 36 0:31 /upper /var/lib/x rw - overlay overlay rw,lowerdir=/a");

    private static List<String> fdinfo(int mount) {
        return List.of("pos:\t0", "flags:\t0100002", "mnt_id:\t" + mount, "ino:\t42");
    }

    @ParameterizedTest
    @CsvSource({"36, ext4", "3, fuse.sshfs", "363, overlay"})
    void findsTheTypeOfTheMountOfAFile(int mount, String type) {
        assertEquals(type, MemoryFileSystems.type(fdinfo(mount), MOUNTS));
    }

    @Test
    void findsNoTypeOfAMountInAnotherNamespace() {
        assertNull(MemoryFileSystems.type(fdinfo(63), MOUNTS));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs", "btrfs", "zfs"})
    void acceptsLocalDisks(String type) {
        assertNull(MemoryFileSystems.refusal(type, Set.of()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"fuse", "fuse.sshfs", "fuseblk", "virtiofs", "nfs4", "9p", "overlay", "newfs"})
    void refusesOtherFileSystemsAndNamesTheOption(String type) {
        String refusal = MemoryFileSystems.refusal(type, Set.of("ceph"));

        assertTrue(refusal.contains("--allow-memory-on=" + type), refusal);
    }

    @Test
    void refusesAFileSystemOfAnotherNamespace() {
        assertTrue(MemoryFileSystems.refusal(null, Set.of("fuse")).contains("--allow-memory-on=any"));
    }

    @ParameterizedTest
    @CsvSource({"overlay, overlay", "fuse.sshfs, fuse", "fuse.sshfs, fuse.sshfs"})
    void acceptsTypesThatTheOperatorAllows(String type, String allowed) {
        assertNull(MemoryFileSystems.refusal(type, Set.of(allowed)));
    }

    private static OwnedFd openProcFile() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom("/proc/self/status");
            return new OwnedFd(Libc.callInt(Libc.symbol("open"), path.address(), 0, 0, 0, 0));
        }
    }

    @Test
    void looksAnOpenFileUp() {
        try (OwnedFd file = openProcFile()) {
            UnmappableFileException refused =
                    assertThrows(UnmappableFileException.class, () -> MemoryFileSystems.require(file, Set.of()));
            assertTrue(refused.getMessage().contains("type proc "), refused.getMessage());
        }
    }
}
