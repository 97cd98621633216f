package org.vhostuserrng.it;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A machine of QEMU's that boots Linux to a command line on its console: what to start, in which QEMU. */
record Machine(Suite qemu, Suite linux, Board board, List<String> extra, List<String> packages) {
    /** An emulated computer: the program, its own options, the package architecture and the name of its console. */
    enum Board {
        // Debian's QEMU 7.2 corrupts flags around cmpxchg16b under TCG; five-level page tables only cost time.
        Q35("qemu-system-x86_64", "q35", "max,-la57,-cx16", "amd64", "vmlinux", "console=ttyS0"),
        // Firmware wants the kernel as an EFI program, and must not offer the processor's own numbers in its place.
        Q35_EFI("qemu-system-x86_64", "q35", "max,-la57,-cx16,-rdrand,-rdseed", "amd64", "kernel", "console=ttyS0"),
        PC("qemu-system-x86_64", "pc", "max,-la57,-cx16", "amd64", "vmlinux", "console=ttyS0"),
        VIRT("qemu-system-aarch64", "virt", "cortex-a53", "arm64", "kernel", "console=ttyAMA0"),
        S390("qemu-system-s390x", "s390-ccw-virtio", "max", "s390x", "kernel", "console=ttysclp0");

        private final String program;
        private final String machine;
        private final String cpu;
        private final String architecture;
        private final String kernel;
        private final String append;

        Board(String program, String machine, String cpu, String architecture, String kernel, String append) {
            this.program = program;
            this.machine = machine;
            this.cpu = cpu;
            this.architecture = architecture;
            this.kernel = kernel;
            this.append = append;
        }

        String program() {
            return program;
        }

        String machine() {
            return machine;
        }
    }

    private static final int MEBIBYTES = 256;

    static Machine of(Suite qemu, Suite linux, Board board) {
        return new Machine(qemu, linux, board, List.of(), List.of());
    }

    /** With further options of QEMU. */
    Machine with(String... options) {
        List<String> all = new ArrayList<>(extra);
        all.addAll(List.of(options));
        return new Machine(qemu, linux, board, List.copyOf(all), packages);
    }

    /** With a device that a daemon serves at a socket. */
    Machine withRng(Path socket, String device) {
        return with("-chardev", "socket,id=rng,path=" + socket, "-device", device + ",chardev=rng");
    }

    /** With rngd and rngtest in the guest. */
    Machine withRngTools() {
        return new Machine(qemu, linux, board, extra, List.of("rng-tools"));
    }

    /** QEMU's arguments; the sockets of console and monitor go to the directory. */
    List<String> arguments(Path directory) throws IOException, InterruptedException {
        Path kernel = GuestScript.kernel(linux, board.architecture, packages.toArray(String[]::new));
        List<String> arguments = new ArrayList<>(hardware(directory, board.machine, board.cpu));
        arguments.addAll(List.of("-kernel", kernel.resolve(board.kernel).toString()));
        arguments.addAll(List.of("-initrd", kernel.resolve("initrd.gz").toString()));
        arguments.addAll(List.of("-append", board.append + " quiet panic=-1"));
        arguments.addAll(extra);
        return arguments;
    }

    /** Shared memory, a console and a monitor, both of which QEMU waits for, and nothing else. */
    static List<String> hardware(Path directory, String machine, String cpu) {
        String size = MEBIBYTES + "M";
        String memory = "memory-backend-memfd,id=m,size=" + size + ",share=on";
        String console = "socket,id=console,server=on,wait=on,path=" + directory.resolve("console");
        String monitor = "socket,id=monitor,server=on,wait=off,path=" + directory.resolve("qmp");
        return List.of(
                "-accel",
                "tcg",
                "-M",
                machine + ",memory-backend=m",
                "-cpu",
                cpu,
                "-m",
                size,
                "-object",
                memory,
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-chardev",
                console,
                "-serial",
                "chardev:console",
                "-chardev",
                monitor,
                "-mon",
                "chardev=monitor,mode=control");
    }
}
