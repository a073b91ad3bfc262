/* What libpcap alone needs to hand over every packet of a capture: nothing is done with them but counting.
   cc -O2 libpcap-floor.c -lpcap -o libpcap-floor && ./libpcap-floor CAPTURE */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *capture = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
    struct pcap_pkthdr *header;
    const u_char *data;
    unsigned long packets = 0, bytes = 0;

    if (capture == NULL) {
        fprintf(stderr, "libpcap-floor: %s\n", argc == 2 ? why : "needs one capture");
        return 2;
    }
    while (pcap_next_ex(capture, &header, &data) == 1) {
        packets++;
        bytes += header->len + data[0];
    }
    printf("%lu packets, %lu\n", packets, bytes);
    return 0;
}
