package org.vhostuserrng.it.recipe;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.it.fixture.SystemdMachine;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.InstalledMachineExtension;

/** Tests the examples for Kubernetes and KubeVirt, but not in a cluster. */
@Tag("container")
class KubernetesExamplesGuestIT {
    private static final String EXAMPLES = "/usr/share/doc/vhost-user-rng/examples/kubernetes";

    /** A domain without shared memory. */
    private static final String DOMAIN = """
            <domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
              <name>web</name>
              <memory unit='MiB'>256</memory>
              <os>
                <type arch='x86_64' machine='q35'>hvm</type>
              </os>
            </domain>
            """;

    private static final String VALIDATE = """
            import json, sys, yaml, jsonschema
            with open(sys.argv[1]) as example, open(sys.argv[2]) as schema:
                jsonschema.validate(yaml.safe_load(example), json.load(schema))
            """;

    @RegisterExtension
    static final InstalledMachineExtension TRIXIE = new InstalledMachineExtension(DebianRelease.TRIXIE);

    private static SystemdMachine machine() {
        return TRIXIE.machine();
    }

    private static String resource(String name) throws IOException {
        try (var stream = KubernetesExamplesGuestIT.class.getResourceAsStream("/kubernetes/" + name)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** The schema has the fields of the Kubernetes API that the examples use, and permits no others. */
    private static void assertValid(String example, String schema) throws IOException, InterruptedException {
        machine().write(Map.of("/root/schema.json", resource(schema), "/root/validate.py", VALIDATE));
        machine().succeed("python3", "/root/validate.py", EXAMPLES + "/" + example, "/root/schema.json");
    }

    @Test
    void daemonSetHasOnlyFieldsOfTheApi() throws IOException, InterruptedException {
        assertValid("daemonset.yaml", "daemonset.schema.json");
    }

    @Test
    void hookIsAConfigMap() throws IOException, InterruptedException {
        assertValid("kubevirt-hook.yaml", "configmap.schema.json");
    }

    @Test
    void hookAddsTheDeviceToADomain() throws IOException, InterruptedException {
        LibvirtGuest.write(machine(), DOMAIN);
        machine()
                .succeedAll("python3 -c 'import sys, yaml; print(yaml.safe_load(sys.stdin)[\"data\"][\"hook.py\"])' <"
                        + EXAMPLES + "/kubevirt-hook.yaml >/root/hook.py;"
                        + " python3 /root/hook.py --vmi '{}' --domain \"$(cat /root/web.xml)\" >/root/hooked.xml;"
                        + " mkdir -p /run/vhost-user-rng;"
                        + " systemd-run --unit=vhost-user-rng-vm0 --property=Type=notify"
                        + " vhost-user-rng --socket-path=/run/vhost-user-rng/vm0 --socket-group=kvm");
        try {
            machine().succeedAll("virsh define /root/hooked.xml; virsh start web");

            LibvirtGuest.awaitServed(machine());
        } finally {
            LibvirtGuest.undefine(machine());
            machine().run("systemctl", "stop", "vhost-user-rng-vm0.service");
        }
    }
}
