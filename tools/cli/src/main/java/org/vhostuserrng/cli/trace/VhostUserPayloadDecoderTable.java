package org.vhostuserrng.cli.trace;

import java.util.Optional;
import org.vhostuserrng.frontend.FrontendMessageType;

/** Maps message types to payload decoders, for requests and replies. */
final class VhostUserPayloadDecoderTable {
    private VhostUserPayloadDecoderTable() {}

    /**
     * Returns the decoder of a request.
     *
     * @param packed whether VIRTIO_F_RING_PACKED was negotiated, which determines the encoding of a vring base
     */
    static VhostUserPayloadDecoder requestDecoder(FrontendMessageType type, boolean packed) {
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
                    GET_SHMEM_CONFIG -> VhostUserPayloadDecoder.NONE;
            case SET_FEATURES -> VhostUserPayloadDecoder.FEATURES;
            case SET_PROTOCOL_FEATURES -> VhostUserPayloadDecoder.PROTOCOL_FEATURES;
            case SET_STATUS -> VhostUserPayloadDecoder.STATUS;
            case SET_MEM_TABLE -> VhostUserPayloadDecoder.MEMORY_REGIONS;
            case ADD_MEM_REG, REM_MEM_REG -> VhostUserPayloadDecoder.MEMORY_REGION;
            case SET_LOG_BASE -> VhostUserPayloadDecoder.LOG;
            case SET_VRING_NUM -> VhostUserPayloadDecoder.VRING_NUM;
            case SET_VRING_ADDR -> VhostUserPayloadDecoder.VRING_ADDRESS;
            case SET_VRING_BASE -> vringBaseDecoder(packed);
            case GET_VRING_BASE, GET_VRING_BASE_SKIP_DRAIN, VRING_KICK -> VhostUserPayloadDecoder.VRING_INDEX;
            case SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR -> VhostUserPayloadDecoder.VRING_FD;
            case SET_VRING_ENABLE -> VhostUserPayloadDecoder.VRING_ENABLE;
            case SET_VRING_ENDIAN -> VhostUserPayloadDecoder.VRING_ENDIAN;
            case SEND_RARP -> VhostUserPayloadDecoder.MAC_ADDRESS;
            case NET_SET_MTU -> VhostUserPayloadDecoder.MTU;
            case IOTLB_MSG -> VhostUserPayloadDecoder.IOTLB;
            case GET_CONFIG, SET_CONFIG -> VhostUserPayloadDecoder.CONFIG;
            case CREATE_CRYPTO_SESSION -> VhostUserPayloadDecoder.HEX_DUMP;
            case CLOSE_CRYPTO_SESSION -> VhostUserPayloadDecoder.SESSION_ID;
            case GET_INFLIGHT_FD, SET_INFLIGHT_FD -> VhostUserPayloadDecoder.INFLIGHT;
            case GET_SHARED_OBJECT -> VhostUserPayloadDecoder.UUID;
            case SET_DEVICE_STATE_FD -> VhostUserPayloadDecoder.DEVICE_STATE;
        };
    }

    /**
     * Returns the decoder of a reply that the back-end sends even without need_reply; empty if there is no such reply.
     */
    static Optional<VhostUserPayloadDecoder> mandatoryReplyDecoder(FrontendMessageType type, boolean packed) {
        return switch (type) {
            case GET_FEATURES -> Optional.of(VhostUserPayloadDecoder.FEATURES);
            case GET_PROTOCOL_FEATURES -> Optional.of(VhostUserPayloadDecoder.PROTOCOL_FEATURES);
            case GET_QUEUE_NUM -> Optional.of(VhostUserPayloadDecoder.QUEUES);
            case GET_MAX_MEM_SLOTS -> Optional.of(VhostUserPayloadDecoder.SLOTS);
            case GET_STATUS -> Optional.of(VhostUserPayloadDecoder.STATUS);
            case GET_VRING_BASE, GET_VRING_BASE_SKIP_DRAIN -> Optional.of(vringBaseDecoder(packed));
            case GET_CONFIG -> Optional.of(VhostUserPayloadDecoder.CONFIG);
            case GET_INFLIGHT_FD -> Optional.of(VhostUserPayloadDecoder.INFLIGHT);
            case GET_SHMEM_CONFIG -> Optional.of(VhostUserPayloadDecoder.SHMEM_CONFIG);
            case SET_DEVICE_STATE_FD -> Optional.of(VhostUserPayloadDecoder.DEVICE_STATE_FD);
            case CREATE_CRYPTO_SESSION -> Optional.of(VhostUserPayloadDecoder.HEX_DUMP);
            case IOTLB_MSG, CHECK_DEVICE_STATE, GET_SHARED_OBJECT, POSTCOPY_ADVISE, POSTCOPY_END ->
                Optional.of(VhostUserPayloadDecoder.ACKNOWLEDGEMENT);
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
     * Returns the decoder of a reply, which is the reply of the message type or an acknowledgement. If both are
     * possible, the size decides. Replies in postcopy mode repeat the memory regions of the request; some replies
     * consist only of a descriptor.
     */
    static VhostUserPayloadDecoder replyDecoder(FrontendMessageType type, boolean packed, int size) {
        return switch (type) {
            case GET_CONFIG -> size == 0 ? VhostUserPayloadDecoder.CONFIG_ERROR : VhostUserPayloadDecoder.CONFIG;
            case SET_MEM_TABLE, ADD_MEM_REG ->
                size == Long.BYTES ? VhostUserPayloadDecoder.ACKNOWLEDGEMENT : requestDecoder(type, packed);
            case SET_LOG_BASE, POSTCOPY_ADVISE, POSTCOPY_END, GET_SHARED_OBJECT ->
                size == 0 ? VhostUserPayloadDecoder.NONE : VhostUserPayloadDecoder.ACKNOWLEDGEMENT;
            default -> mandatoryReplyDecoder(type, packed).orElse(VhostUserPayloadDecoder.ACKNOWLEDGEMENT);
        };
    }

    private static VhostUserPayloadDecoder vringBaseDecoder(boolean packed) {
        return packed ? VhostUserPayloadDecoder.PACKED_VRING_BASE : VhostUserPayloadDecoder.SPLIT_VRING_BASE;
    }
}
