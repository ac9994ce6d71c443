// A picture from the camera.
export function watchCamera(button, dialog, take, fail) {
  const video = dialog.querySelector("video");
  let stream;
  const stop = () => { for (const track of stream?.getTracks() ?? []) track.stop(); video.srcObject = null; };
  button.onclick = async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 4096 } } });
    } catch { fail(); return; }
    video.srcObject = stream;
    dialog.showModal();
  };
  dialog.addEventListener("close", stop);
  dialog.querySelector("#camera-close").onclick = () => dialog.close();
  dialog.querySelector("#camera-take").onclick = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => { if (blob) take([new File([blob], "camera.png", { type: "image/png" })]); }, "image/png");
    dialog.close();
  };
}
