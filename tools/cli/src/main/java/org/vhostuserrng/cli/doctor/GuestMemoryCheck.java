package org.vhostuserrng.cli.doctor;

import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.cli.doctor.QemuCommandLine.MemorySharing;

/** Checks whether the QEMU processes with a device on a socket share the memory of their guests. */
final class GuestMemoryCheck implements HostCheck {
    private static final String GUEST_MEMORY = "guest memory";
    private static final String BACKEND = "-object memory-backend-memfd,id=m,size=SIZE,share=on";

    private final DaemonSocket socket;
    private final List<HostProcess> vmms;

    /**
     * Creates a check of a socket.
     *
     * @param vmms the processes that {@link #vmms} has found
     */
    GuestMemoryCheck(DaemonSocket socket, List<HostProcess> vmms) {
        this.socket = socket;
        this.vmms = vmms;
    }

    /** Returns the processes whose command line has a device on a socket. */
    static List<HostProcess> vmms(DaemonSocket socket, HostFiles files, HostProcesses processes) {
        String real = files.realPath(socket.path());
        return processes.all().stream()
                .filter(process -> new QemuCommandLine(process.arguments())
                        .hasDeviceOn(path -> path.equals(socket.path()) || path.equals(real)))
                .toList();
    }

    @Override
    public List<CheckResult> run() {
        if (vmms.isEmpty()) {
            return List.of(CheckResult.notChecked(
                    GUEST_MEMORY,
                    "No running QEMU has a device on " + socket.path()
                            + " in its command line. Hot-plugged devices and other VMMs are not seen.",
                    "Start the VM and check again. Its memory must be shared."));
        }
        List<CheckResult> results = new ArrayList<>();
        vmms.forEach(vmm -> results.add(check(vmm)));
        return results;
    }

    private CheckResult check(HostProcess vmm) {
        MemorySharing sharing = new QemuCommandLine(vmm.arguments()).memorySharing();
        return switch (sharing) {
            case SHARED -> CheckResult.ok(GUEST_MEMORY, vmm + " on " + socket.path() + " shares its guest's memory.");
            case NO_BACKEND ->
                CheckResult.problem(
                        GUEST_MEMORY,
                        vmm + " on " + socket.path() + " does not share its guest's memory: it has no memory backend.",
                        "Start it with -machine memory-backend=m " + BACKEND + ", where SIZE equals -m. libvirt:"
                                + " <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>.");
            case PRIVATE ->
                CheckResult.problem(
                        GUEST_MEMORY,
                        vmm + " on " + socket.path() + " does not share its guest's memory: a memory backend has no"
                                + " share=on.",
                        "Add share=on to its memory backends, as in " + BACKEND
                                + ". libvirt: <access mode='shared'/> in <memoryBacking>.");
            case UNKNOWN ->
                CheckResult.notChecked(
                        GUEST_MEMORY,
                        "The command line of " + vmm + " does not say how its guest's memory is made.",
                        "Its memory backend needs share=on, as in " + BACKEND + ".");
        };
    }
}
