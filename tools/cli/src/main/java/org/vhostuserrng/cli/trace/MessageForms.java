package org.vhostuserrng.cli.trace;

import java.util.Optional;
import org.vhostuserrng.frontend.FrontendMessageType;

/** Which payload goes with which message, in either direction. */
final class MessageForms {
    private MessageForms() {}

    /**
     * What the front-end sends.
     *
     * @param packed RING_PACKED was negotiated, which changes what an index into a vring looks like
     */
    static PayloadForm request(FrontendMessageType type, boolean packed) {
        return switch (type) {
            case GET_FEATURES,
                    SET_OWNER,
                    RESET_OWNER,
                    SET_LOG_FD,
                    GET_PROTOCOL_FEATURES,
                    GET_QUEUE_NUM,
                    SET_BACKEND_REQ_FD,
                    POSTCOPY_ADVISE,
                    POSTCOPY_LISTEN,
                    POSTCOPY_END,
                    GPU_SET_SOCKET,
                    RESET_DEVICE,
                    GET_MAX_MEM_SLOTS,
                    GET_STATUS,
                    CHECK_DEVICE_STATE,
                    GET_SHMEM_CONFIG -> PayloadForm.NONE;
            case SET_FEATURES -> PayloadForm.FEATURES;
            case SET_PROTOCOL_FEATURES -> PayloadForm.PROTOCOL_FEATURES;
            case SET_STATUS -> PayloadForm.STATUS;
            case SET_MEM_TABLE -> PayloadForm.MEMORY_REGIONS;
            case ADD_MEM_REG, REM_MEM_REG -> PayloadForm.MEMORY_REGION;
            case SET_LOG_BASE -> PayloadForm.LOG;
            case SET_VRING_NUM -> PayloadForm.VRING_NUM;
            case SET_VRING_ADDR -> PayloadForm.VRING_ADDRESS;
            case SET_VRING_BASE -> base(packed);
            case GET_VRING_BASE, GET_VRING_BASE_SKIP_DRAIN, VRING_KICK -> PayloadForm.VRING_INDEX;
            case SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR -> PayloadForm.VRING_DESCRIPTOR;
            case SET_VRING_ENABLE -> PayloadForm.VRING_ENABLE;
            case SET_VRING_ENDIAN -> PayloadForm.VRING_ENDIAN;
            case SEND_RARP -> PayloadForm.MAC_ADDRESS;
            case NET_SET_MTU -> PayloadForm.MTU;
            case IOTLB_MSG -> PayloadForm.IOTLB;
            case GET_CONFIG, SET_CONFIG -> PayloadForm.CONFIG;
            case CREATE_CRYPTO_SESSION -> PayloadForm.OPAQUE;
            case CLOSE_CRYPTO_SESSION -> PayloadForm.SESSION_ID;
            case GET_INFLIGHT_FD, SET_INFLIGHT_FD -> PayloadForm.INFLIGHT;
            case GET_SHARED_OBJECT -> PayloadForm.UUID;
            case SET_DEVICE_STATE_FD -> PayloadForm.DEVICE_STATE;
        };
    }

    /** What the back-end answers without being asked by need_reply; empty if it does not. */
    static Optional<PayloadForm> ownReply(FrontendMessageType type, boolean packed) {
        return switch (type) {
            case GET_FEATURES -> Optional.of(PayloadForm.FEATURES);
            case GET_PROTOCOL_FEATURES -> Optional.of(PayloadForm.PROTOCOL_FEATURES);
            case GET_QUEUE_NUM -> Optional.of(PayloadForm.QUEUES);
            case GET_MAX_MEM_SLOTS -> Optional.of(PayloadForm.SLOTS);
            case GET_STATUS -> Optional.of(PayloadForm.STATUS);
            case GET_VRING_BASE, GET_VRING_BASE_SKIP_DRAIN -> Optional.of(base(packed));
            case GET_CONFIG -> Optional.of(PayloadForm.CONFIG);
            case GET_INFLIGHT_FD -> Optional.of(PayloadForm.INFLIGHT);
            case GET_SHMEM_CONFIG -> Optional.of(PayloadForm.SHMEM_CONFIG);
            case SET_DEVICE_STATE_FD -> Optional.of(PayloadForm.DEVICE_STATE_FD);
            case CREATE_CRYPTO_SESSION -> Optional.of(PayloadForm.OPAQUE);
            case IOTLB_MSG, CHECK_DEVICE_STATE, GET_SHARED_OBJECT, POSTCOPY_ADVISE, POSTCOPY_END ->
                Optional.of(PayloadForm.ACKNOWLEDGEMENT);
            case SET_FEATURES,
                    SET_OWNER,
                    RESET_OWNER,
                    SET_MEM_TABLE,
                    SET_LOG_BASE,
                    SET_LOG_FD,
                    SET_VRING_NUM,
                    SET_VRING_ADDR,
                    SET_VRING_BASE,
                    SET_VRING_KICK,
                    SET_VRING_CALL,
                    SET_VRING_ERR,
                    SET_PROTOCOL_FEATURES,
                    SET_VRING_ENABLE,
                    SEND_RARP,
                    NET_SET_MTU,
                    SET_BACKEND_REQ_FD,
                    SET_VRING_ENDIAN,
                    SET_CONFIG,
                    CLOSE_CRYPTO_SESSION,
                    POSTCOPY_LISTEN,
                    SET_INFLIGHT_FD,
                    GPU_SET_SOCKET,
                    RESET_DEVICE,
                    VRING_KICK,
                    ADD_MEM_REG,
                    REM_MEM_REG,
                    SET_STATUS -> Optional.empty();
        };
    }

    /**
     * The form of a reply: its own or an acknowledgement, told apart by size where a message can have either. The
     * replies of postcopy repeat the request's regions; some replies consist of a descriptor alone.
     */
    static PayloadForm reply(FrontendMessageType type, boolean packed, int size) {
        return switch (type) {
            case GET_CONFIG -> size == 0 ? PayloadForm.FAILED : PayloadForm.CONFIG;
            case SET_MEM_TABLE, ADD_MEM_REG -> size == Long.BYTES ? PayloadForm.ACKNOWLEDGEMENT : request(type, packed);
            case SET_LOG_BASE, POSTCOPY_ADVISE, POSTCOPY_END, GET_SHARED_OBJECT ->
                size == 0 ? PayloadForm.NONE : PayloadForm.ACKNOWLEDGEMENT;
            default -> ownReply(type, packed).orElse(PayloadForm.ACKNOWLEDGEMENT);
        };
    }

    private static PayloadForm base(boolean packed) {
        return packed ? PayloadForm.PACKED_VRING_BASE : PayloadForm.SPLIT_VRING_BASE;
    }
}
