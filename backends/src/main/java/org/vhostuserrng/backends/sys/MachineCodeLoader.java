package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.vhostuserrng.libc.Libc;

/**
 * Loads machine code for instructions that no library provides as a function. The memory is never writable and
 * executable at the same time. The code must follow the System V ABI for x86-64, and is called like a function of libc.
 */
final class MachineCodeLoader {
    private static final MemorySegment MMAP = Libc.symbol("mmap");
    private static final MemorySegment MUNMAP = Libc.symbol("munmap");
    private static final MemorySegment MPROTECT = Libc.symbol("mprotect");
    private static final int PAGE_BYTES = 4096;
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
    private static final int HEXADECIMAL = 16;
    private static final int HEX_DIGIT_BITS = 4;

    private MachineCodeLoader() {}

    /**
     * Loads code into executable memory.
     *
     * @param arena the owner of the memory
     * @param listing lines of hexadecimal bytes, each with a semicolon and the instruction at the end; at most 4096
     *     bytes of code
     * @throws IOException if the system does not permit executable memory
     */
    @SuppressWarnings("restricted")
    static MemorySegment load(Arena arena, String listing) throws IOException {
        byte[] code = assemble(listing);
        long address = Libc.callLong(MMAP, 0, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
        require("mmap", address);
        MemorySegment page =
                MemorySegment.ofAddress(address).reinterpret(PAGE_BYTES, arena, unmapped -> unmap(unmapped.address()));
        MemorySegment.copy(code, 0, page, ValueLayout.JAVA_BYTE, 0, code.length);
        require("mprotect", Libc.callInt(MPROTECT, address, PAGE_BYTES, PROT_READ | PROT_EXEC, 0, 0));
        return page;
    }

    private static byte[] assemble(String listing) {
        byte[] code = new byte[listing.length()];
        int digits = 0;
        boolean comment = false;
        // Does not use streams, whose classes would delay the start of the daemon.
        for (int i = 0; i < listing.length(); i++) {
            char next = listing.charAt(i);
            comment = next == ';' || (comment && next != '\n');
            int digit = comment ? -1 : Character.digit(next, HEXADECIMAL);
            if (digit >= 0) {
                code[digits / 2] = (byte) ((code[digits / 2] << HEX_DIGIT_BITS) | digit);
                digits++;
            }
        }
        return Arrays.copyOf(code, digits / 2);
    }

    private static void unmap(long address) {
        int result = Libc.callInt(MUNMAP, address, PAGE_BYTES, 0, 0, 0);
        assert result == 0;
    }

    private static void require(String call, long result) throws IOException {
        if (result < 0 && result > -PAGE_BYTES) {
            throw new IOException(
                    "cannot allocate executable memory: " + call + ": " + EntropyFile.describe((int) result));
        }
    }
}
