package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.GET_INFLIGHT_FD;

import java.util.stream.Stream;
import org.vhostuserrng.frontend.InflightBuffer;

/** VHOST_USER_GET_INFLIGHT_FD. */
class GetInflightFdIT extends MessageContract {
    GetInflightFdIT() {
        super(Message.of(GET_INFLIGHT_FD, InflightBuffer.description(0, 0, 1, 64)));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        return Stream.of(
                wrong("no queue", InflightBuffer.description(0, 0, 0, 64)),
                wrong("2 queues", InflightBuffer.description(0, 0, 2, 64)),
                wrong("65535 queues", InflightBuffer.description(0, 0, 65535, 64)),
                wrong("queue size 0", InflightBuffer.description(0, 0, 1, 0)),
                wrong("queue size 32769", InflightBuffer.description(0, 0, 1, 32769)));
    }
}
