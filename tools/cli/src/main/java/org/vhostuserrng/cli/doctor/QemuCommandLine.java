package org.vhostuserrng.cli.doctor;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** The entropy devices and the guest memory on the command line of a QEMU process. */
final class QemuCommandLine {
    private static final String PATH = "path";
    private static final String ID = "id";
    private static final String DRIVER = "driver";

    private static final Set<String> ON = Set.of("on", "yes", "true", "y");
    private static final Set<String> OFF = Set.of("off", "no", "false", "n");

    private final List<Map<String, String>> objects = new ArrayList<>();
    private final List<Map<String, String>> chardevs = new ArrayList<>();
    private final List<Map<String, String>> devices = new ArrayList<>();
    /** Identifiers of the memory backends of the machine and of its NUMA nodes. */
    private final List<String> memoryBackends = new ArrayList<>();

    private boolean readsConfiguration;

    QemuCommandLine(List<String> arguments) {
        for (int i = 1; i + 1 < arguments.size(); i++) {
            add(arguments.get(i).replaceFirst("^--", "-"), arguments.get(i + 1));
        }
    }

    private void add(String option, String value) {
        switch (option) {
            case "-object" -> objects.add(QemuOptionValue.parse(value, "qom-type"));
            case "-chardev" -> chardevs.add(QemuOptionValue.parse(value, "backend"));
            case "-device" -> devices.add(QemuOptionValue.parse(value, DRIVER));
            case "-machine", "-M" -> addBackend(QemuOptionValue.parse(value, "type"), "memory-backend");
            case "-numa" -> addBackend(QemuOptionValue.parse(value, "type"), "memdev");
            case "-readconfig" -> readsConfiguration = true;
            default -> {
                // It does not concern devices or memory.
            }
        }
    }

    private void addBackend(Map<String, String> values, String key) {
        if (values.containsKey(key)) {
            memoryBackends.add(values.get(key));
        }
    }

    /** Returns whether a device connects to a socket whose path is accepted. */
    boolean hasDeviceOn(Predicate<String> socket) {
        return devices.stream().anyMatch(device -> isOn(device, socket));
    }

    private boolean isOn(Map<String, String> device, Predicate<String> socket) {
        String driver = device.getOrDefault(DRIVER, "");
        if (driver.startsWith("vfio-user-pci")) {
            return socket.test(device.getOrDefault("socket.path", ""));
        }
        return driver.startsWith("vhost-user-")
                && chardevs.stream()
                        .filter(chardev -> chardev.getOrDefault(ID, "").equals(device.get("chardev")))
                        .anyMatch(chardev -> socket.test(chardev.getOrDefault(PATH, "")));
    }

    /** Whether the daemon can access the guest's memory. */
    enum MemorySharing {
        SHARED,
        /** No memory backend is named: the memory is private to QEMU. */
        NO_BACKEND,
        /** A memory backend has {@code share=off}, explicitly or by default. */
        PRIVATE,
        /** The command line does not contain this information. */
        UNKNOWN
    }

    MemorySharing memorySharing() {
        if (memoryBackends.isEmpty()) {
            return readsConfiguration ? MemorySharing.UNKNOWN : MemorySharing.NO_BACKEND;
        }
        Map<String, Map<String, String>> byId = new HashMap<>();
        objects.forEach(object -> byId.put(object.getOrDefault(ID, ""), object));
        MemorySharing result = MemorySharing.SHARED;
        for (String id : memoryBackends) {
            if (!byId.containsKey(id)) {
                return MemorySharing.UNKNOWN;
            }
            if (!isShared(byId.get(id))) {
                result = MemorySharing.PRIVATE;
            }
        }
        return result;
    }

    /** QEMU backends/hostmem-*.c: the default of share= depends on the type of the backend. */
    private static boolean isShared(Map<String, String> object) {
        String share = object.getOrDefault("share", "");
        return switch (object.getOrDefault("qom-type", "")) {
            case "memory-backend-memfd", "memory-backend-shm" -> !OFF.contains(share);
            default -> ON.contains(share);
        };
    }
}
