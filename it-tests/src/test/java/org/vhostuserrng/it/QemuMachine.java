package org.vhostuserrng.it;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A machine of QEMU's that boots Linux to a command line on its console: what to start, in which QEMU. */
record QemuMachine(DebianRelease qemu, DebianRelease linux, Board board, List<String> extra, Userland userland) {
    /** An emulated computer: the program, its own options, the package architecture and the name of its console. */
    enum Board {
        // Debian's QEMU 7.2 corrupts flags around cmpxchg16b under TCG; five-level page tables only cost time.
        Q35("qemu-system-x86_64", "q35", "max,-la57,-cx16", "amd64", "vmlinux", "console=ttyS0"),
        // Firmware wants the kernel as an EFI program, and must not offer the processor's own numbers in its place.
        Q35_EFI("qemu-system-x86_64", "q35", "max,-la57,-cx16,-rdrand,-rdseed", "amd64", "kernel", "console=ttyS0"),
        // The device is the only one to give the kernel random numbers.
        Q35_WITHOUT_RDRAND(
                "qemu-system-x86_64", "q35", "max,-la57,-cx16,-rdrand,-rdseed", "amd64", "vmlinux", "console=ttyS0"),
        PC("qemu-system-x86_64", "pc", "max,-la57,-cx16", "amd64", "vmlinux", "console=ttyS0"),
        // Knows its virtio-mmio devices from the command line alone, which QEMU writes into a bzImage's only.
        MICROVM("qemu-system-x86_64", "microvm", "max,-la57,-cx16", "amd64", "kernel", "console=ttyS0"),
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
    }

    /** What runs in the guest. */
    enum Userland {
        BUSYBOX,
        /** The same with rngd and rngtest. */
        RNG_TOOLS,
        /** A small Debian on a disk. */
        SYSTEMD;

        /** What tools/guest/build calls it. */
        private List<String> extra() {
            return switch (this) {
                case BUSYBOX -> List.of();
                case RNG_TOOLS -> List.of("rng-tools");
                case SYSTEMD -> List.of("systemd");
            };
        }
    }

    private static final int MEBIBYTES = 256;

    static QemuMachine of(DebianRelease qemu, DebianRelease linux, Board board) {
        return new QemuMachine(qemu, linux, board, List.of(), Userland.BUSYBOX);
    }

    /** With further options of QEMU. */
    QemuMachine with(String... options) {
        List<String> all = new ArrayList<>(extra);
        all.addAll(List.of(options));
        return new QemuMachine(qemu, linux, board, List.copyOf(all), userland);
    }

    /** With a device that a daemon serves at a socket. */
    QemuMachine withRng(Path socket, String device) {
        return with("-chardev", "socket,id=rng,path=" + socket, "-device", device + ",chardev=rng");
    }

    QemuMachine with(Userland other) {
        return new QemuMachine(qemu, linux, board, extra, other);
    }

    /** QEMU's arguments; the sockets of console and monitor go to the directory. */
    List<String> arguments(Path directory) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(hardware(directory, board.machine, board.cpu));
        arguments.addAll(kernel());
        arguments.addAll(extra);
        return arguments;
    }

    /** The kernel with what it boots from. */
    List<String> kernel() throws IOException, InterruptedException {
        Path directory = GuestImageScripts.kernel(linux, board.architecture, userland.extra());
        List<String> arguments = new ArrayList<>();
        arguments.addAll(List.of("-kernel", directory.resolve(board.kernel).toString()));
        arguments.addAll(List.of("-initrd", directory.resolve("initrd.gz").toString()));
        String append = board.append + " quiet panic=-1";
        if (userland == Userland.SYSTEMD) {
            append += " root=/dev/vda";
            String disk = "if=virtio,format=raw,snapshot=on,file=" + directory.resolve("disk.img");
            arguments.addAll(List.of("-drive", disk));
        }
        arguments.addAll(List.of("-append", append));
        return arguments;
    }

    /** Shared memory, a console and a monitor, and nothing else. */
    static List<String> hardware(Path directory, String machine, String cpu) {
        String size = MEBIBYTES + "M";
        String memory = "memory-backend-memfd,id=m,size=" + size + ",share=on";
        List<String> arguments = new ArrayList<>();
        arguments.addAll(List.of("-accel", "tcg", "-M", machine + ",memory-backend=m", "-cpu", cpu));
        arguments.addAll(List.of("-m", size, "-object", memory));
        arguments.addAll(consoleAndMonitor(directory));
        return arguments;
    }

    /** A console, which QEMU waits for, and a monitor, in place of what QEMU has by default. */
    static List<String> consoleAndMonitor(Path directory) {
        String console = "socket,id=console,server=on,wait=on,path=" + directory.resolve("console");
        String monitor = "socket,id=monitor,server=on,wait=off,path=" + directory.resolve("qmp");
        List<String> arguments = new ArrayList<>(List.of("-nodefaults", "-no-user-config", "-display", "none"));
        arguments.addAll(List.of("-chardev", console, "-serial", "chardev:console"));
        arguments.addAll(List.of("-chardev", monitor, "-mon", "chardev=monitor,mode=control"));
        return arguments;
    }
}
