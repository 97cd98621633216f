package org.vhostuserrng.transport.vhostuser.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReplyRuleTest {
    @ParameterizedTest
    @ValueSource(
            ints = {
                VhostUserConstants.VHOST_USER_GET_FEATURES,
                VhostUserConstants.VHOST_USER_GET_PROTOCOL_FEATURES,
                VhostUserConstants.VHOST_USER_GET_QUEUE_NUM,
                VhostUserConstants.VHOST_USER_GET_MAX_MEM_SLOTS,
                VhostUserConstants.VHOST_USER_GET_VRING_BASE,
                VhostUserConstants.VHOST_USER_GET_VRING_BASE_SKIP_DRAIN,
                VhostUserConstants.VHOST_USER_GET_STATUS,
                VhostUserConstants.VHOST_USER_SET_LOG_BASE
            })
    void requestsWhoseReplyIsAValueCannotBeRefused(int id) {
        assertEquals(ReplyRule.REPLY, ReplyRule.of(id));
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                VhostUserConstants.VHOST_USER_GET_INFLIGHT_FD,
                VhostUserConstants.VHOST_USER_SET_DEVICE_STATE_FD,
                VhostUserConstants.VHOST_USER_CHECK_DEVICE_STATE
            })
    void requestsWithAnotherReplyCanBeRefused(int id) {
        assertEquals(ReplyRule.REPLY_OR_NACK, ReplyRule.of(id));
        assertTrue(ReplyRule.of(id).hasReply());
    }

    @Test
    void iotlbMessagesAreAlwaysAcknowledged() {
        assertEquals(ReplyRule.ACK_ALWAYS, ReplyRule.of(VhostUserConstants.VHOST_USER_IOTLB_MSG));
        assertFalse(ReplyRule.ACK_ALWAYS.hasReply());
    }

    @ParameterizedTest
    @ValueSource(ints = {VhostUserConstants.VHOST_USER_SET_OWNER, 0, -1, 1000})
    void allOtherRequestsAreAcknowledgedIfRequested(int id) {
        assertEquals(ReplyRule.ACK_IF_REQUESTED, ReplyRule.of(id));
    }
}
