package org.vhostuserrng.cli.trace;

import java.util.Optional;
import org.vhostuserrng.frontend.FrontendMessageType;

/** Maps message types to payload decoders, for requests and replies. */
final class TracePayloadDecoderTable {
    private TracePayloadDecoderTable() {}

    /**
     * Returns the decoder of a request.
     *
     * @param packed whether VIRTIO_F_RING_PACKED was negotiated, which determines the encoding of a vring base
     */
    static TracePayloadDecoder requestDecoder(FrontendMessageType type, boolean packed) {
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
                    GET_SHMEM_CONFIG -> TracePayloadDecoder.NONE;
            case SET_FEATURES -> TracePayloadDecoder.FEATURES;
            case SET_PROTOCOL_FEATURES -> TracePayloadDecoder.PROTOCOL_FEATURES;
            case SET_STATUS -> TracePayloadDecoder.STATUS;
            case SET_MEM_TABLE -> TracePayloadDecoder.MEMORY_REGIONS;
            case ADD_MEM_REG, REM_MEM_REG -> TracePayloadDecoder.MEMORY_REGION;
            case SET_LOG_BASE -> TracePayloadDecoder.LOG;
            case SET_VRING_NUM -> TracePayloadDecoder.VRING_NUM;
            case SET_VRING_ADDR -> TracePayloadDecoder.VRING_ADDRESS;
            case SET_VRING_BASE -> vringBaseDecoder(packed);
            case GET_VRING_BASE, GET_VRING_BASE_SKIP_DRAIN, VRING_KICK -> TracePayloadDecoder.VRING_INDEX;
            case SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR -> TracePayloadDecoder.VRING_FD;
            case SET_VRING_ENABLE -> TracePayloadDecoder.VRING_ENABLE;
            case SET_VRING_ENDIAN -> TracePayloadDecoder.VRING_ENDIAN;
            case SEND_RARP -> TracePayloadDecoder.MAC_ADDRESS;
            case NET_SET_MTU -> TracePayloadDecoder.MTU;
            case IOTLB_MSG -> TracePayloadDecoder.IOTLB;
            case GET_CONFIG, SET_CONFIG -> TracePayloadDecoder.CONFIG;
            case CREATE_CRYPTO_SESSION -> TracePayloadDecoder.HEX_DUMP;
            case CLOSE_CRYPTO_SESSION -> TracePayloadDecoder.SESSION_ID;
            case GET_INFLIGHT_FD, SET_INFLIGHT_FD -> TracePayloadDecoder.INFLIGHT;
            case GET_SHARED_OBJECT -> TracePayloadDecoder.UUID;
            case SET_DEVICE_STATE_FD -> TracePayloadDecoder.DEVICE_STATE;
        };
    }

    /**
     * Returns the decoder of a reply that the back-end sends even without need_reply; empty if there is no such reply.
     */
    static Optional<TracePayloadDecoder> mandatoryReplyDecoder(FrontendMessageType type, boolean packed) {
        return switch (type) {
            case GET_FEATURES -> Optional.of(TracePayloadDecoder.FEATURES);
            case GET_PROTOCOL_FEATURES -> Optional.of(TracePayloadDecoder.PROTOCOL_FEATURES);
            case GET_QUEUE_NUM -> Optional.of(TracePayloadDecoder.QUEUES);
            case GET_MAX_MEM_SLOTS -> Optional.of(TracePayloadDecoder.SLOTS);
            case GET_STATUS -> Optional.of(TracePayloadDecoder.STATUS);
            case GET_VRING_BASE, GET_VRING_BASE_SKIP_DRAIN -> Optional.of(vringBaseDecoder(packed));
            case GET_CONFIG -> Optional.of(TracePayloadDecoder.CONFIG);
            case GET_INFLIGHT_FD -> Optional.of(TracePayloadDecoder.INFLIGHT);
            case GET_SHMEM_CONFIG -> Optional.of(TracePayloadDecoder.SHMEM_CONFIG);
            case SET_DEVICE_STATE_FD -> Optional.of(TracePayloadDecoder.DEVICE_STATE_FD);
            case CREATE_CRYPTO_SESSION -> Optional.of(TracePayloadDecoder.HEX_DUMP);
            case IOTLB_MSG, CHECK_DEVICE_STATE, GET_SHARED_OBJECT, POSTCOPY_ADVISE, POSTCOPY_END ->
                Optional.of(TracePayloadDecoder.ACKNOWLEDGEMENT);
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
    static TracePayloadDecoder replyDecoder(FrontendMessageType type, boolean packed, int size) {
        return switch (type) {
            case GET_CONFIG -> size == 0 ? TracePayloadDecoder.CONFIG_ERROR : TracePayloadDecoder.CONFIG;
            case SET_MEM_TABLE, ADD_MEM_REG ->
                size == Long.BYTES ? TracePayloadDecoder.ACKNOWLEDGEMENT : requestDecoder(type, packed);
            case SET_LOG_BASE, POSTCOPY_ADVISE, POSTCOPY_END, GET_SHARED_OBJECT ->
                size == 0 ? TracePayloadDecoder.NONE : TracePayloadDecoder.ACKNOWLEDGEMENT;
            default -> mandatoryReplyDecoder(type, packed).orElse(TracePayloadDecoder.ACKNOWLEDGEMENT);
        };
    }

    private static TracePayloadDecoder vringBaseDecoder(boolean packed) {
        return packed ? TracePayloadDecoder.PACKED_VRING_BASE : TracePayloadDecoder.SPLIT_VRING_BASE;
    }
}
