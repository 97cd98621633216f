package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;

class FileLocalityTest {
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "tmpfs, 0x01021994, false",
        "hugetlbfs, 0x958458f6, false",
        "ext4, 0xef53, false",
        "xfs, 0x58465342, false",
        "fuse, 0x65735546, true",
        "nfs, 0x6969, true",
        "smb2, 0xfe534d42, true"
    })
    void recognizesRemoteFileSystems(String name, String type, boolean remote) {
        assertEquals(remote, FileLocality.isRemote(Long.decode(type)), name);
    }

    @Test
    void takesAMemfdForLocal() throws ErrnoException {
        try (OwnedFd file = SealedMemfd.create("test", 4096)) {
            assertTrue(FileLocality.isLocal(file, FileStatus.of(file)));
        }
    }
}
