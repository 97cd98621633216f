package org.vhostuserrng.transport.vhostuser.protocol;

/**
 * The rule by which the back-end replies to a request (vhost-user, "Communication" and
 * VHOST_USER_PROTOCOL_F_REPLY_ACK).
 */
public enum ReplyRule {
    /** The request is acknowledged if the front-end sets need_reply. */
    ACK_IF_REQUESTED,
    /** The request is always acknowledged, with or without need_reply. */
    ACK_ALWAYS,
    /**
     * The request has its own reply. An error ends the session, because the front-end would mistake a non-zero
     * acknowledgement for that reply.
     */
    REPLY,
    /**
     * The request has its own reply. It is refused with a non-zero acknowledgement if the front-end sets need_reply.
     */
    REPLY_OR_NACK;

    /** Returns the rule of a request. An unknown request is acknowledged if the front-end sets need_reply. */
    public static ReplyRule of(int id) {
        return switch (id) {
            case VhostUserConstants.VHOST_USER_GET_FEATURES,
                    VhostUserConstants.VHOST_USER_GET_PROTOCOL_FEATURES,
                    VhostUserConstants.VHOST_USER_GET_QUEUE_NUM,
                    VhostUserConstants.VHOST_USER_GET_MAX_MEM_SLOTS,
                    VhostUserConstants.VHOST_USER_GET_VRING_BASE,
                    VhostUserConstants.VHOST_USER_GET_VRING_BASE_SKIP_DRAIN,
                    VhostUserConstants.VHOST_USER_GET_STATUS,
                    VhostUserConstants.VHOST_USER_SET_LOG_BASE -> REPLY;
            case VhostUserConstants.VHOST_USER_GET_INFLIGHT_FD,
                    VhostUserConstants.VHOST_USER_SET_DEVICE_STATE_FD,
                    VhostUserConstants.VHOST_USER_CHECK_DEVICE_STATE -> REPLY_OR_NACK;
            case VhostUserConstants.VHOST_USER_IOTLB_MSG -> ACK_ALWAYS;
            default -> ACK_IF_REQUESTED;
        };
    }

    /** Returns whether the request has a reply of its own, other than an acknowledgement. */
    public boolean hasReply() {
        return this == REPLY || this == REPLY_OR_NACK;
    }
}
