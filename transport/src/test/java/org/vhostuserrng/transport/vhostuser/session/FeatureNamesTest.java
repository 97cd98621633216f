package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FeatureNamesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "34 | VIRTIO_F_RING_PACKED (offered with --packed; QEMU: packed=on)",
                "33 | VIRTIO_F_ACCESS_PLATFORM (offered with --access-platform; QEMU: iommu_platform=on)",
                "35 | VIRTIO_F_IN_ORDER (offered with --in-order; QEMU: in_order=on)",
                "40 | VIRTIO_F_RING_RESET (QEMU: queue_reset=on)",
                "38 | VIRTIO_F_NOTIFICATION_DATA",
                "0 | device-specific feature 0",
                "63 | unknown feature 63"
            })
    void namesAFeatureAndItsCure(int bit, String expected) {
        assertEquals(expected, FeatureNames.describeFeatures(1L << bit));
    }

    @ParameterizedTest
    @CsvSource({
        "15, VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS (offered with --mem-slots)",
        "14, VHOST_USER_PROTOCOL_F_INBAND_NOTIFICATIONS",
        "23, VHOST_USER_PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN",
        "24, unknown protocol feature 24",
        "63, unknown protocol feature 63"
    })
    void namesAProtocolFeature(int bit, String expected) {
        assertEquals(expected, FeatureNames.describeProtocolFeatures(1L << bit));
    }

    @Test
    void namesAllFeatures() {
        assertEquals(
                "VIRTIO_F_NOTIFICATION_DATA, VIRTIO_F_ADMIN_VQ", FeatureNames.describeFeatures(1L << 41 | 1L << 38));
    }
}
